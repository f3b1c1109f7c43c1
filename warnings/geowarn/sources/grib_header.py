"""What the header of one GRIB field says about rain, read through eccodes; used in the decoding child only.

Rain is known by its official number, never by a name: code table 4.2 of edition 2 and table 2 of edition 1, beside
them ECMWF's own numbers and those of NOAA's radar mosaics (MRMS, discipline 209).
"""

from __future__ import annotations

from typing import Any

from geowarn.sources.decoding import Bad

# (discipline, category, number): code table 4.2, and ECMWF's own 193
_TOTAL, _RATE, _TOTAL_RATE, _ECMWF_TOTAL = (0, 1, 8), (0, 1, 7), (0, 1, 52), (0, 1, 193)
RAIN = {_TOTAL, _RATE, _TOTAL_RATE, _ECMWF_TOTAL}
_MRMS = 209
# Hours of an MRMS total by number in category 6: MultiSensor_QPE_01H_Pass2; others are not read, as their numbers
# are not proven
MRMS_HOURS = {37: 1}
_ECMWF = 98
# ecCodes calls the same standard parameter "unknown" for some centres; table 4.2 fixes its unit all the same
_UNITS = {_TOTAL: "kg m**-2", _RATE: "kg m**-2 s**-1", _TOTAL_RATE: "kg m**-2 s**-1"}
_INTERVAL_TEMPLATES = {8, 11}  # one run, one ensemble member; means, quantiles and probabilities are no rain field
# Edition 1, table 2, versions 1 to 3: 59 a rate, 61 a total; ECMWF's tables 128 (m) and 228 (kg m-2): 228
_EDITION_1_TOTALS = {(version, 61): "kg m**-2" for version in (1, 2, 3)}
_EDITION_1_RATES = {(version, 59): "kg m**-2 s**-1" for version in (1, 2, 3)}
_EDITION_1_ECMWF = {(128, 228): "m", (228, 228): "kg m**-2"}

_COMMON = ("centre", "generatingProcessIdentifier", "numberOfDataPoints", "bitsPerValue", "minute", "second")
_EDITION_2 = (
    "discipline", "parameterCategory", "parameterNumber", "typeOfGeneratingProcess", "typeOfProcessedData",
    "productionStatusOfProcessedData", "significanceOfReferenceTime", "year", "month", "day", "hour",
    "productDefinitionTemplateNumber", "forecastTime", "indicatorOfUnitOfTimeRange",
)  # fmt: skip
_EDITION_2_INTERVAL = (
    "numberOfTimeRange", "typeOfStatisticalProcessing", "lengthOfTimeRange", "indicatorOfUnitForTimeRange",
    "yearOfEndOfOverallTimeInterval", "monthOfEndOfOverallTimeInterval", "dayOfEndOfOverallTimeInterval",
    "hourOfEndOfOverallTimeInterval", "minuteOfEndOfOverallTimeInterval", "secondOfEndOfOverallTimeInterval",
)  # fmt: skip
_EDITION_1 = (
    "table2Version", "indicatorOfParameter", "dataDate", "hour", "unitOfTimeRange", "P1", "P2", "timeRangeIndicator",
)  # fmt: skip
_REGULAR = ("Ni", "Nj", "iScansNegatively", "jScansPositively", "jPointsAreConsecutive", "alternativeRowScanning")
_DEGREES = (
    "latitudeOfFirstGridPointInDegrees", "longitudeOfFirstGridPointInDegrees",
    "latitudeOfLastGridPointInDegrees", "longitudeOfLastGridPointInDegrees",
)  # fmt: skip
_OPTIONAL = (
    "binaryScaleFactor", "decimalScaleFactor", "iDirectionIncrementInDegrees", "jDirectionIncrementInDegrees",
)  # fmt: skip


class Header:
    """Reads one handle; every failure names message and key."""

    def __init__(self, eccodes: Any, handle: Any, number: int) -> None:
        self.eccodes, self.handle, self.number = eccodes, handle, number

    def get(self, key: str, kind: type) -> Any:
        """One key; raises Bad where the header does not have it."""
        try:
            return self.eccodes.codes_get(self.handle, key, ktype=kind)
        except (self.eccodes.CodesInternalError, ValueError, TypeError):
            raise Bad("sources.grib-field", message=self.number, field=key, value="?") from None

    def maybe(self, key: str, kind: type) -> Any:
        """One key; None where the header does not have it."""
        try:
            return self.get(key, kind)
        except Bad:
            return None

    def ints(self, keys: tuple[str, ...]) -> dict[str, int]:
        """Several whole numbers."""
        return {key: self.get(key, int) for key in keys}

    def read(self) -> dict[str, Any] | str:
        """Everything the parent needs to know, or why the field is left aside: other, instant or derived."""
        edition = self.get("edition", int)
        found = self._edition_1() if edition == 1 else self._edition_2()
        if isinstance(found, str):
            return found
        found |= self.ints(_COMMON) | {"edition": edition, "number": self.number} | self._grid()
        found |= {key: self.maybe(key, float) for key in _OPTIONAL}
        return found | {"source": self.get("centreDescription", str)[:80]}

    def _edition_2(self) -> dict[str, Any] | str:
        header: dict[str, Any] = self.ints(_EDITION_2)
        parameter = (header["discipline"], header["parameterCategory"], header["parameterNumber"])
        template = header["productDefinitionTemplateNumber"]
        if parameter[0] == _MRMS:
            return header | {"units": "mm", "member": None, "hours": MRMS_HOURS[parameter[2]]}
        if parameter == _ECMWF_TOTAL and self.get("centre", int) != _ECMWF:
            return "other"
        if template not in _INTERVAL_TEMPLATES:
            return "instant" if template in (0, 1) else "derived"
        header |= self.ints(_EDITION_2_INTERVAL)
        wanted = {_TOTAL: (1,), _ECMWF_TOTAL: (1,), _RATE: (0,), _TOTAL_RATE: (0, 1)}
        if header["typeOfStatisticalProcessing"] not in wanted.get(parameter, ()):
            return "derived"
        header["units"] = self.get("units", str)
        if header["units"] == "unknown":
            header["units"] = _UNITS.get(parameter, "unknown")
        header["member"] = self.get("perturbationNumber", int) if template == 11 else None
        return header

    def _edition_1(self) -> dict[str, Any] | str:
        header: dict[str, Any] = self.ints(_EDITION_1)
        named = (header["table2Version"], header["indicatorOfParameter"])
        local = self.get("centre", int) == _ECMWF and named in _EDITION_1_ECMWF
        if not local and named not in _EDITION_1_TOTALS | _EDITION_1_RATES:
            return "other"
        header["units"] = (_EDITION_1_TOTALS | _EDITION_1_RATES | _EDITION_1_ECMWF)[named]
        header["rate"] = named in _EDITION_1_RATES
        # ECMWF writes its totals from the start with the sign of an instant (0, and 10 beyond step 255).
        header["from_start"] = local and header["timeRangeIndicator"] in (0, 10)
        if header["timeRangeIndicator"] in (0, 1, 10) and not header["from_start"]:
            return "instant"
        if (header["timeRangeIndicator"] in (3, 6, 7)) != header["rate"] and not header["from_start"]:
            return "derived"
        kind = self.maybe("dataType", str)
        header["member"] = {"pf": self.maybe("number", int), "cf": 0}.get(kind or "")
        return header

    def _grid(self) -> dict[str, Any]:
        kind = self.get("gridType", str)
        if kind != "regular_ll":
            return {"gridType": kind[:40], "grid": self.get("md5GridSection", str), **self._shape()}
        degrees = {key: self.get(key, float) for key in _DEGREES}
        return self.ints(_REGULAR) | degrees | {"gridType": kind}

    def _shape(self) -> dict[str, int]:
        """Columns and rows of a grid that is a table, one row of all points for every other."""
        points = self.get("numberOfDataPoints", int)
        columns, rows = self.maybe("Nx", int), self.maybe("Ny", int)
        consecutive = self.maybe("jPointsAreConsecutive", int)
        if self.maybe("alternativeRowScanning", int):
            raise Bad("sources.grib-field", message=self.number, field="alternativeRowScanning", value=1)
        table = columns and rows and columns * rows == points
        if not table:
            return {"Ni": points, "Nj": 1, "jPointsAreConsecutive": 0}
        return {"Ni": columns, "Nj": rows, "jPointsAreConsecutive": consecutive or 0}
