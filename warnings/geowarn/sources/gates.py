"""What no reader lets through: files of the wrong kind or size, and rain that cannot fall."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, CurvedGrid, Payload, Stations, Support
from geowarn.sources.stored import Numbers, extremes_of

MOST_PER_HOUR = 300.0  # mm; hazard-methods 5.2, case 4
MOST_PER_DAY = 1500.0  # mm in any 24 h
MOST_AT_ALL = 5000.0  # mm in one interval however long, so that a 9999 for "missing" never passes
MEBIBYTE = 1 << 20
_ROUNDING = 1 + 1e-6
_DAY = timedelta(hours=24)

Values = NDArray[np.float64]


def only_file(files: Sequence[Payload], reader: str) -> Payload:
    """The one file of a reader whose runs never come in several; raises Refused naming the second one."""
    if len(files) != 1:
        raise Refused("sources.several-files", file=files[1].name if files else "-", reader=reader)
    return files[0]


def check_size(payload: Path, file_name: str, most_mebibytes: int) -> int:
    """Size in bytes; raises Refused for an empty or too large file, or one that is none."""
    if not payload.is_file():
        raise Refused("ingest.no-file", file=file_name)
    size = payload.stat().st_size
    if size == 0:
        raise Refused("sources.empty", file=file_name)
    if size > most_mebibytes * MEBIBYTE:
        raise Refused("sources.too-large", file=file_name, size=-(-size // MEBIBYTE), limit=most_mebibytes)
    return size


def check_sizes(files: Sequence[Payload], most_mebibytes: int) -> None:
    """Refuse an empty file, and files that are too large together."""
    left = most_mebibytes
    for file in files:
        size = check_size(file.path, file.name, left)
        left -= size // MEBIBYTE


def read_text(payload: Path, file_name: str, most_mebibytes: int) -> str:
    """The file as UTF-8 text without byte order mark; raises Refused for a page, binary data or another encoding."""
    check_size(payload, file_name, most_mebibytes)
    data = payload.read_bytes()
    if data[:512].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise Refused("sources.web-page", file=file_name)
    if b"\0" in data:
        raise Refused("sources.binary", file=file_name, line=data[: data.index(b"\0")].count(b"\n") + 1)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("sources.encoding", file=file_name, line=data[: error.start].count(b"\n") + 1) from None


def most_mm(hours: float) -> float:
    """The most rain in mm that an interval of this length may hold."""
    return min(MOST_PER_HOUR * hours, MOST_PER_DAY * max(1.0, hours / 24), MOST_AT_ALL)


def place_of(support: Support, index: int) -> str:
    """The cell's coordinates, the station's id or the area's code."""
    if isinstance(support, AreaUnits):
        return support.codes[index]
    if isinstance(support, Stations):
        return support.ids[index]
    if isinstance(support, CurvedGrid):
        lon, lat = float(support.lon[index]), float(support.lat[index])
    else:
        row, column = divmod(index, support.nx)
        lon, lat = support.lon0 + column * support.dlon, support.lat0 + row * support.dlat
    return f"{abs(lat):.4g}°{'S' if lat < 0 else 'N'} {lon:.6g}°E"


def check_range(series: Sequence[tuple[Period, Numbers]], support: Support, file_name: str) -> None:
    """Refuse rain above the gates, in one interval or in any 24 h of this series; periods disjoint, in order."""
    for period, values in series:
        most = most_mm(period.hours) * _ROUNDING
        if extremes_of(values)[1] > most:
            _refuse_above(np.asarray(values), period, most_mm(period.hours), support, file_name)
    if _a_day_may_pass(series):
        _check_days(series, support, file_name)


def _a_day_may_pass(series: Sequence[tuple[Period, Numbers]]) -> bool:
    """Whether the highest values of all intervals in some 24 h come to more than a day may hold."""
    inside: deque[tuple[Period, float]] = deque()
    for period, values in series:
        highest = extremes_of(values)[1]
        inside.append((period, 0.0 if isnan(highest) else highest))
        while inside and inside[0][0].start < period.end - _DAY:
            inside.popleft()
        if sum(most for _, most in inside) > MOST_PER_DAY:
            return True
    return False


def _check_days(series: Sequence[tuple[Period, Numbers]], support: Support, file_name: str) -> None:
    running = np.zeros(support.size)
    inside: deque[tuple[Period, Numbers]] = deque()
    for period, values in series:
        running += np.nan_to_num(values, nan=0.0)
        inside.append((period, values))
        while inside and inside[0][0].start < period.end - _DAY:
            running -= np.nan_to_num(inside.popleft()[1], nan=0.0)
        if inside:
            span = Period(inside[0][0].start, period.end)
            _refuse_above(running, span, MOST_PER_DAY, support, file_name)


def _refuse_above(values: NDArray[Any], period: Period, most: float, support: Support, file_name: str) -> None:
    worst = float(np.fmax.reduce(values))
    if not worst > most * _ROUNDING:
        return
    raise Refused(
        "sources.impossible",
        file=file_name,
        place=place_of(support, int(np.nanargmax(values))),
        start=f"{period.start:%Y-%m-%dT%H:%MZ}",
        end=f"{period.end:%Y-%m-%dT%H:%MZ}",
        value=f"{worst:.6g}",
        limit=f"{most:g}",
    )
