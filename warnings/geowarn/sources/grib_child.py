"""Decodes the rain of one GRIB 2 file in a process of its own, so that a decoder's crash or greed ends here.

Run by path: `grib_child.py PAYLOAD FOLDER LIMITS` with LIMITS as JSON; imports the standard library, numpy and
eccodes only. Every header is checked before anything is decoded. Writes FOLDER/<message>.npy (float64 in storage
order, NaN = missing) and FOLDER/result.json: `messages`, `ignored`, `seen`, or `refused` with catalogue key and
facts. Standard output holds one line per message begun, so that a crash can be placed.
"""

from __future__ import annotations

import json
import mmap
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

# (discipline, category, number) that may be total rain: code table 4.2, and ECMWF's own 193
_TOTAL, _RATE, _TOTAL_RATE, _ECMWF_TOTAL = (0, 1, 8), (0, 1, 7), (0, 1, 52), (0, 1, 193)
_RAIN = {_TOTAL, _RATE, _TOTAL_RATE, _ECMWF_TOTAL}
_ECMWF = 98
# ecCodes calls the same standard parameter "unknown" for some centres; table 4.2 fixes its unit all the same
_UNITS = {_TOTAL: "kg m**-2", _RATE: "kg m**-2 s**-1", _TOTAL_RATE: "kg m**-2 s**-1"}
_INTERVAL_TEMPLATES = {8, 11}  # one run, one ensemble member; means, quantiles and probabilities are no rain field
_SENTINEL = -1.0e34  # stands for "missing" while decoding
_FRAME = 16  # bytes of section 0 in edition 2

_PARAMETER = ("discipline", "parameterCategory", "parameterNumber")
_INTEGERS = (
    "discipline", "parameterCategory", "parameterNumber", "centre", "generatingProcessIdentifier",
    "typeOfGeneratingProcess", "productionStatusOfProcessedData", "significanceOfReferenceTime",
    "year", "month", "day", "hour", "minute", "second",
    "productDefinitionTemplateNumber", "forecastTime", "indicatorOfUnitOfTimeRange",
    "numberOfTimeRange", "typeOfStatisticalProcessing", "lengthOfTimeRange", "indicatorOfUnitForTimeRange",
    "yearOfEndOfOverallTimeInterval", "monthOfEndOfOverallTimeInterval", "dayOfEndOfOverallTimeInterval",
    "hourOfEndOfOverallTimeInterval", "minuteOfEndOfOverallTimeInterval", "secondOfEndOfOverallTimeInterval",
    "Ni", "Nj", "iScansNegatively", "jScansPositively", "jPointsAreConsecutive", "alternativeRowScanning",
    "numberOfDataPoints", "bitsPerValue",
)  # fmt: skip
_DEGREES = (
    "latitudeOfFirstGridPointInDegrees", "longitudeOfFirstGridPointInDegrees",
    "latitudeOfLastGridPointInDegrees", "longitudeOfLastGridPointInDegrees",
)  # fmt: skip
_OPTIONAL = (
    "binaryScaleFactor", "decimalScaleFactor", "iDirectionIncrementInDegrees", "jDirectionIncrementInDegrees",
)  # fmt: skip


class Bad(Exception):
    """A file that is refused, with the catalogue key and its facts."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key, self.facts = key, facts


def limit_resources(memory: int, seconds: int) -> None:
    """Bound memory, processor time and file size where the system knows how."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, memory),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):
            continue


def frames(data: Any) -> Iterator[tuple[int, int, int]]:
    """Number, first and past-last byte of each message; raises Bad for anything that is not whole messages."""
    number, position = 0, 0
    while True:
        start = data.find(b"GRIB", position)
        stop = start if start >= 0 else len(data)
        if start < 0 and number == 0:
            raise Bad("grib-none")
        if not _harmless(data[position:stop]):
            raise Bad("grib-gap", message=number + 1, offset=position, size=stop - position)
        if start < 0:
            return
        number += 1
        position = _end_of(data, number, start)
        yield number, start, position


def _harmless(gap: bytes) -> bool:
    # Zero padding and the short heading of a WMO bulletin stand between messages in real files.
    return not gap.strip(b"\0") or (len(gap) <= 80 and all(32 <= byte < 127 or byte in b"\1\3\r\n" for byte in gap))


def _end_of(data: Any, number: int, start: int) -> int:
    if len(data) - start < _FRAME + 4:
        raise Bad("grib-truncated", message=number, have=len(data) - start, want=_FRAME + 4)
    if data[start + 7] != 2:
        raise Bad("grib-edition", message=number, edition=data[start + 7])
    length = int.from_bytes(data[start + 8 : start + _FRAME], "big")
    if start + length > len(data):
        raise Bad("grib-truncated", message=number, have=len(data) - start, want=length)
    if length < _FRAME + 4 or data[start + length - 4 : start + length] != b"7777":
        raise Bad("grib-field", message=number, field="totalLength", value=length)
    return start + length


def rain_in(data: Any, number: int, start: int, end: int) -> bool:
    """Whether the message holds rain; raises Bad for broken sections, and for rain in a message of many fields."""
    position, found, fields = start + _FRAME, False, 0
    while position < end - 4:
        length, section = int.from_bytes(data[position : position + 4], "big"), data[position + 4]
        if length < 5 or position + length > end - 4:
            raise Bad("grib-field", message=number, field=f"section{section}Length", value=length)
        if section == 4 and length >= 11:
            found |= (data[start + 6], data[position + 9], data[position + 10]) in _RAIN
        fields += section == 7
        position += length
    if found and fields != 1:
        raise Bad("grib-several", message=number, fields=fields)
    return found


class Decoder:
    """Headers and values of single messages, within limits on points."""

    def __init__(self, eccodes: Any, folder: Path, limits: Mapping[str, int]) -> None:
        self.eccodes, self.folder, self.limits, self.points = eccodes, folder, limits, 0

    def message(self, number: int, data: bytes) -> dict[str, Any] | str:
        """The message's header, its values written; or why it was left aside."""
        handle = self.eccodes.codes_new_from_message(data)
        try:
            why = self._set_aside(number, handle)
            if why:
                return why
            header = self._header(number, handle)
            self._values(number, handle, header)
            return header
        finally:
            self.eccodes.codes_release(handle)

    def _get(self, number: int, handle: Any, key: str, kind: type) -> Any:
        try:
            return self.eccodes.codes_get(handle, key, ktype=kind)
        except (self.eccodes.CodesInternalError, ValueError, TypeError):
            raise Bad("grib-field", message=number, field=key, value="?") from None

    def _set_aside(self, number: int, handle: Any) -> str:
        parameter = tuple(self._get(number, handle, key, int) for key in _PARAMETER)
        if parameter == _ECMWF_TOTAL and self._get(number, handle, "centre", int) != _ECMWF:
            return "other"
        template = self._get(number, handle, "productDefinitionTemplateNumber", int)
        if template not in _INTERVAL_TEMPLATES:
            return "instant" if template in (0, 1) else "derived"
        statistic = self._get(number, handle, "typeOfStatisticalProcessing", int)
        wanted = {_TOTAL: (1,), _ECMWF_TOTAL: (1,), _RATE: (0,), _TOTAL_RATE: (0, 1)}
        return "" if statistic in wanted.get(parameter, ()) else "derived"

    def _header(self, number: int, handle: Any) -> dict[str, Any]:
        grid = self._get(number, handle, "gridType", str)
        if grid != "regular_ll":
            raise Bad("grib-grid", message=number, grid=grid[:40])
        header: dict[str, Any] = {key: self._get(number, handle, key, int) for key in _INTEGERS}
        header |= {key: self._get(number, handle, key, float) for key in _DEGREES}
        header["units"] = self._get(number, handle, "units", str)
        if header["units"] == "unknown":
            parameter = tuple(header[key] for key in _PARAMETER)
            header["units"] = _UNITS.get(parameter, "unknown")
        header["source"] = self._get(number, handle, "centreDescription", str)[:80]
        for key in _OPTIONAL:
            try:
                header[key] = self._get(number, handle, key, float)
            except Bad:
                header[key] = None
        header["member"] = None
        if header["productDefinitionTemplateNumber"] == 11:
            header["member"] = self._get(number, handle, "perturbationNumber", int)
        return header | {"number": number}

    def _values(self, number: int, handle: Any, header: Mapping[str, Any]) -> None:
        nx, ny, points = header["Ni"], header["Nj"], header["numberOfDataPoints"]
        if nx < 1 or ny < 1 or nx * ny != points:
            raise Bad("grib-field", message=number, field="numberOfDataPoints", value=f"{points} ({nx} x {ny})")
        self.points += points
        if points > self.limits["points"] or self.points > self.limits["values"]:
            raise Bad("grib-points", message=number, points=max(points, self.points))
        if self.eccodes.codes_get_size(handle, "values") != points:
            raise Bad("grib-field", message=number, field="numberOfValues", value="?")
        self.eccodes.codes_set(handle, "missingValue", _SENTINEL)
        values = np.asarray(self.eccodes.codes_get_values(handle), dtype=np.float64)
        if values.shape != (points,) or not np.isfinite(values).all():
            raise Bad("grib-field", message=number, field="values", value="?")
        np.save(self.folder / f"{number}.npy", np.where(values == _SENTINEL, np.nan, values))


def decode(payload: Path, folder: Path, limits: Mapping[str, int]) -> dict[str, Any]:
    """Everything `result.json` holds for a file that is accepted; raises Bad."""
    try:
        import eccodes  # type: ignore[import-untyped,unused-ignore]
    except (ImportError, RuntimeError, OSError):
        raise Bad("grib-not-installed") from None
    decoder = Decoder(eccodes, folder, limits)
    kept: list[dict[str, Any]] = []
    ignored: list[str] = []
    seen = 0
    with payload.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for number, start, end in frames(data):
            print(number, flush=True)
            seen = number
            if number > limits["messages"]:
                raise Bad("grib-messages", limit=limits["messages"])
            if not rain_in(data, number, start, end):
                continue
            try:
                found = decoder.message(number, data[start:end])
            except eccodes.CodesInternalError as error:
                raise Bad("grib-undecodable", message=number, reason=str(error)[:120]) from None
            if isinstance(found, str):
                ignored.append(found)
            else:
                kept.append(found)
    return {"messages": kept, "ignored": ignored, "seen": seen}


def main(payload: str, folder: str, limits: str) -> None:
    """Decode and write `result.json`; a refusal is a result too."""
    bounds = json.loads(limits)
    limit_resources(bounds["memory"], bounds["seconds"])
    try:
        result = decode(Path(payload), Path(folder), bounds)
    except Bad as bad:
        result = {"refused": bad.key, "facts": bad.facts}
    except MemoryError:
        result = {"refused": "grib-memory", "facts": {}}
    (Path(folder) / "result.json").write_text(json.dumps(result), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # decoders have been seen to crash while the interpreter goes down
