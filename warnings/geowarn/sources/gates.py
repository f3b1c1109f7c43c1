"""What no reader lets through: files of the wrong kind or size, and rain that cannot fall."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, CurvedGrid, Payload, Stations, Support

MOST_PER_HOUR = 300.0  # mm; hazard-methods 5.2, case 4
MOST_PER_DAY = 1500.0  # mm in any 24 h
MOST_AT_ALL = 5000.0  # mm in one interval however long, so that a 9999 for "missing" never passes
MEBIBYTE = 1 << 20

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


def check_range(series: Sequence[tuple[Period, Values]], support: Support, file_name: str) -> None:
    """Refuse rain above the gates, in one interval or in any 24 h of this series; periods disjoint, in order."""
    running = np.zeros(support.size)
    inside: deque[tuple[Period, Values]] = deque()
    for period, values in series:
        _refuse_above(values, period, most_mm(period.hours), support, file_name)
        known = np.nan_to_num(values, nan=0.0)
        running += known
        inside.append((period, known))
        while inside and inside[0][0].start < period.end - timedelta(hours=24):
            running -= inside.popleft()[1]
        if inside:
            span = Period(inside[0][0].start, period.end)
            _refuse_above(running, span, MOST_PER_DAY, support, file_name)


def _refuse_above(values: Values, period: Period, most: float, support: Support, file_name: str) -> None:
    worst = float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
    if worst <= most * (1 + 1e-9):
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
