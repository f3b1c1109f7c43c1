"""Which variable of a NetCDF file is rain, and what its numbers mean: unit, packing, missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geowarn.domain.errors import Refused
from geowarn.sources.netcdf_file import File, Variable

# CF standard names (version 85) that are total rain; snow alone or convective rain alone is not
_STANDARD = frozenset(
    {
        "precipitation_amount", "lwe_thickness_of_precipitation_amount", "rainfall_amount",
        "thickness_of_rainfall_amount", "precipitation_flux", "lwe_precipitation_rate", "rainfall_flux",
        "rainfall_rate",
    }
)  # fmt: skip
# Names in use where no standard name is given; precipitationCal is IMERG's up to version 6
_NAMES = frozenset(
    {
        "tp",
        "pr",
        "precip",
        "precipitation",
        "precipitationcal",
        "prcp",
        "prate",
        "apcp",
        "rain",
        "rainfall",
        "rain_total",
    }
)
_LONG_NAMES = frozenset({"total precipitation", "total_precipitation", "precipitation amount", "precipitation rate"})
_DEPTHS = {"mm": 1.0, "kg m-2": 1.0, "m": 1000.0, "cm": 10.0, "m of water equivalent": 1000.0}
# mm per second
_RATES = {
    "mm h-1": 1 / 3600, "mm s-1": 1.0, "kg m-2 s-1": 1.0, "m s-1": 1000.0, "mm d-1": 1 / 86400, "m h-1": 1000 / 3600,
    "kg m-2 h-1": 1 / 3600, "kg m-2 d-1": 1 / 86400,
}  # fmt: skip
_WORDS = {"hr": "h", "hour": "h", "hours": "h", "day": "d", "days": "d", "sec": "s", "second": "s", "millimeter": "mm",
          "millimetre": "mm", "meter": "m", "metre": "m", "meters": "m", "millimeters": "mm"}  # fmt: skip
# What a library writes where nothing else was written (NetCDF's own default fill values)
_DEFAULT_FILL = {"i1": -127, "i2": -32767, "i4": -2147483647, "u1": 255, "u2": 65535, "u4": 4294967295,
                 "f4": 9.969209968386869e36, "f8": 9.969209968386869e36}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Meaning:
    """`factor` makes mm (of a rate: mm per second) of unpacked numbers; `quantum` is the packing step in mm."""

    factor: float
    is_rate: bool
    scale: float
    offset: float
    packing: Mapping[str, Any]

    @property
    def step(self) -> float:
        """Packing step in unpacked units, 0 for floating point numbers."""
        return abs(self.scale) if self.packing["whole"] else 0.0


def rain_of(file: File) -> Variable:
    """The only rain variable, by standard name first; raises Refused naming all where there are several or none."""
    grids = [one for one in file.variables.values() if len(one.shape) >= 2 and one.values != ()]
    by_standard = [one for one in grids if one.text("standard_name") in _STANDARD]
    by_name = [
        one for one in grids if one.short.lower() in _NAMES or one.text("long_name").lower().strip() in _LONG_NAMES
    ]
    found = by_standard or by_name
    if not found:
        seen = ", ".join(sorted(one.name for one in grids)[:8]) or "-"
        raise Refused("netcdf.no-rain", file=file.file, seen=seen)
    if len(found) > 1:
        raise Refused("netcdf.several", file=file.file, variables=", ".join(sorted(one.name for one in found)))
    return found[0]


def meaning_of(file: File, variable: Variable) -> Meaning:
    """Unit and packing; raises Refused for a unit that is no depth and no rate of rain."""
    written = variable.text("units") or variable.text("Units")
    unit = _plain(written)
    if unit not in _DEPTHS and unit not in _RATES:
        raise file.refused("unit", variable.name, unit=written or "-")
    scale, offset = variable.number("scale_factor", 1.0), variable.number("add_offset", 0.0)
    whole, valid = variable.type[0] in "iu", variable.numbers("valid_range")
    if not (valid == [] or len(valid) == 2) or scale == 0:
        raise file.refused("attribute", variable.name, attribute="valid_range, scale_factor", value=f"{valid}, {scale}")
    fills = variable.numbers("_FillValue") + variable.numbers("missing_value") + variable.numbers("CodeMissingValue")
    packing = {
        "whole": whole,
        "unsigned": whole and variable.text("_Unsigned").lower() == "true",
        "fill": fills or [one for kind, one in _DEFAULT_FILL.items() if kind == variable.type],
        "valid": list[float | None](valid) or [_one(variable, "valid_min"), _one(variable, "valid_max")],
    }
    factor = _DEPTHS[unit] if unit in _DEPTHS else _RATES[unit]
    return Meaning(factor, unit in _RATES, scale, offset, packing)


def _one(variable: Variable, name: str) -> float | None:
    found = variable.numbers(name)
    return found[0] if found else None


def _plain(unit: str) -> str:
    """One spelling of the many: "kg/m^2/s", "mm/hr", "kg m**-2 s**-1"."""
    text = re.sub(r"\*\*|\^", "", unit.strip())
    text = re.sub(r"\s*/\s*([A-Za-z]+)(\d?)", lambda found: f" {found[1]}-{found[2] or 1}", text)
    words = [re.sub(r"^[A-Za-z]+", lambda found: _WORDS.get(found[0].lower(), found[0]), word) for word in text.split()]
    return " ".join(words)
