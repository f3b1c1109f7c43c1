"""Landslide reports from a CSV file: `area,time,time_end,kind,size,source`; read whole or refused with its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Container, Mapping
from datetime import datetime
from pathlib import Path

from geowarn.domain.errors import Refused
from geowarn.domain.period import to_utc
from geowarn.domain.score_units import Event
from geowarn.domain.unread import larger_than, why

COLUMNS = ("area", "time", "time_end", "kind", "size", "source")
KINDS = ("landslide", "rockfall", "debris-flow", "subsidence", "other")  # 滑坡 崩塌 泥石流 地面塌陷 其他
SIZES = ("small", "medium", "large", "very-large")  # 小型 中型 大型 特大型; a number is a volume in m3; empty: unknown
_LARGEST = 20_000_000  # bytes


def read_events(path: Path, areas: Container[str], now: datetime) -> tuple[Event, ...]:
    """The reports of a file in its order; raises Refused naming file, line, field and what is expected.

    `time` to `time_end` is the interval in which it happened, ISO 8601 with offset; an empty `time_end` means the
    moment is known. A report may not lie after `now`.
    """
    rows = _rows(path)
    seen: dict[Event, int] = {}
    for line, row in rows:
        event = _event(path.name, line, row, areas, now)
        if event in seen:
            raise Refused("score.repeated", file=path.name, line=line, first=seen[event])
        seen[event] = line
    return tuple(seen)


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        data = path.read_bytes()
        if len(data) > _LARGEST:
            raise Refused("score.unreadable", file=path.name, reason=larger_than(_LARGEST, "B"))
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        table = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise Refused("score.unreadable", file=path.name, reason=why(error)) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused("score.unreadable", file=path.name, reason=why(error)) from None
    head = [cell.strip() for cell in table[0][1]] if table else []
    if tuple(head) != COLUMNS:
        raise Refused("score.columns", file=path.name, value=",".join(head)[:80], wanted=",".join(COLUMNS))
    found = []
    for line, row in table[1:]:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(COLUMNS):
            raise Refused("score.cells", file=path.name, line=line, count=len(row), wanted=len(COLUMNS))
        found.append((line, dict(zip(COLUMNS, (cell.strip() for cell in row), strict=True))))
    return found


def _event(file: str, line: int, row: Mapping[str, str], areas: Container[str], now: datetime) -> Event:
    if row["area"] not in areas:
        raise Refused("score.area", file=file, line=line, value=row["area"])
    start = _moment(file, line, "time", row["time"])
    end = _moment(file, line, "time_end", row["time_end"]) if row["time_end"] else start
    if end < start:
        raise Refused("score.order", file=file, line=line, value=row["time_end"], start=row["time"])
    if end > now:
        raise Refused("score.future", file=file, line=line, value=row["time_end"] or row["time"])
    if row["kind"] not in KINDS:
        raise Refused("score.kind", file=file, line=line, value=row["kind"], wanted=", ".join(KINDS))
    if row["size"] and row["size"] not in SIZES and not _volume(row["size"]):
        raise Refused("score.size", file=file, line=line, value=row["size"], wanted=", ".join(SIZES))
    if not row["source"]:
        raise Refused("score.source", file=file, line=line)
    return Event(row["area"], start, end, row["kind"], row["size"], row["source"])


def _moment(file: str, line: int, field: str, text: str) -> datetime:
    try:
        return to_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise Refused("score.time", file=file, line=line, field=field, value=text) from None


def _volume(text: str) -> bool:
    return text.isascii() and text.replace(".", "", 1).isdigit()
