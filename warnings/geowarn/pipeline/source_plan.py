"""The source plan: `config/sources.toml`, one table a source, and the moments at which runs are due."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.cron import CronTrigger

from geowarn.domain.errors import Refused
from geowarn.domain.settings_table import SettingsTable
from geowarn.domain.source import FOLDER, Source
from geowarn.domain.unread import why
from geowarn.pipeline.reader_options import with_options
from geowarn.ports import Fetcher, Reader

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_TAKEN_NAMES = ("taken", "refused", "cap", "issuers")  # folders of the inbox with a meaning of their own
_KEYS = (
    "reader", "way", "enabled", "order", "cron", "zone", "expected_minutes", "needs_hours", "stale_hours",
    "patience_minutes", "retry_minutes", "pattern", "parameters", "options",
)  # fmt: skip
_FIELDS = ("minute", "hour", "day", "month", "day_of_week")
_LOOK_BACK = (timedelta(hours=2), timedelta(days=2), timedelta(days=40))
_CRON = '"minute hour day month weekday", weekday as mon … sun'


def load_plan(
    path: Path, readers: Mapping[str, Reader], fetchers: Mapping[str, Fetcher], zone: str
) -> tuple[Source, ...]:
    """Every configured source, those asked first first; raises Refused naming file, source, key, value and what fits.

    `zone` holds where a source names none. Only enabled sources need their reader and their way installed.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise Refused("config.unreadable", file=path.name, reason=why(error)) from None
    found = [_source(path.name, name, table, readers, fetchers, zone) for name, table in tables.items()]
    _refuse_same_order(found, path.name)
    return tuple(sorted(found, key=lambda source: (source.order or 1000, source.name)))


def _source(
    file: str, name: str, values: Any, readers: Mapping[str, Reader], fetchers: Mapping[str, Fetcher], zone: str
) -> Source:
    if not _NAME.fullmatch(name) or name in _TAKEN_NAMES or not isinstance(values, dict):
        raise Refused("plan.name", file=file, source=name[:60])
    table = SettingsTable(file, name, values)
    table.refuse_unknown(_KEYS)
    enabled, way, reader = table.truth("enabled", False), table.text("way"), table.text("reader")
    source = Source(
        name=name,
        reader=reader,
        way=way,
        enabled=enabled,
        order=table.whole("order", 0, 99),
        cron=table.text("cron", ""),
        zone=_zone(table, zone),
        expected_minutes=table.whole("expected_minutes", 0, 2880, 60),
        needs_hours=table.whole("needs_hours", 0, 384, 24),
        stale_hours=table.number("stale_hours", 1, 72, 12),
        patience_minutes=table.whole("patience_minutes", 1, 2880, 120),
        retry_minutes=table.whole("retry_minutes", 1, 360, 5),
        pattern=_pattern(table),
        parameters=_inner(table, "parameters"),
        options=_inner(table, "options"),
    )
    _check_cron(table, source)
    if enabled:
        _check_adapters(table, source, readers, fetchers)
    return source


def _inner(table: SettingsTable, key: str) -> SettingsTable:
    values = table.values.get(key, {})
    if not isinstance(values, dict):
        raise table.bad(key, f"[{table.name}.{key}]")
    return SettingsTable(table.file, f"{table.name}.{key}", values)


def _check_adapters(
    table: SettingsTable, source: Source, readers: Mapping[str, Reader], fetchers: Mapping[str, Fetcher]
) -> None:
    if source.reader not in readers:
        raise table.bad("reader", ", ".join(sorted(readers)))
    with_options(readers[source.reader], source.options)
    if source.watched:
        source.parameters.refuse_unknown(())
        return
    if source.way not in fetchers:
        raise table.bad("way", ", ".join([FOLDER, *sorted(fetchers)]))
    if not source.cron:
        raise table.bad("cron", _CRON)
    fetchers[source.way].check(source.parameters)


def _zone(table: SettingsTable, default: str) -> str:
    name = table.text("zone", default)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise table.bad("zone", "Asia/Shanghai, UTC …") from None
    return name


def _pattern(table: SettingsTable) -> str:
    text = table.text("pattern", "")
    try:
        fits = not text or "run" in re.compile(text).groupindex
    except re.error:
        fits = False
    if not fits:
        raise table.bad("pattern", "(?P<run>…)")
    return text


def _check_cron(table: SettingsTable, source: Source) -> None:
    if not source.cron:
        return
    try:
        trigger_of(source)
    except ValueError:
        raise table.bad("cron", _CRON) from None


def _refuse_same_order(sources: list[Source], file: str) -> None:
    seen: dict[int, Source] = {}
    for source in sources:
        if source.enabled and source.order and seen.setdefault(source.order, source) is not source:
            other = seen[source.order].name
            raise Refused("plan.same-order", file=file, source=source.name, other=other, order=source.order)


def trigger_of(source: Source) -> CronTrigger:
    """When this source is due; raises ValueError.

    Weekdays by name only: APScheduler counts them from Monday = 0, cron from Sunday = 0.
    """
    fields = source.cron.split()
    if len(fields) != len(_FIELDS) or re.search(r"\d", fields[4]):
        raise ValueError(source.cron)
    return CronTrigger(**dict(zip(_FIELDS, fields, strict=True)), timezone=ZoneInfo(source.zone))


def next_due(source: Source, now: datetime) -> datetime | None:
    """The next slot after `now`, None where nothing is expected."""
    if not source.cron:
        return None
    found: datetime | None = trigger_of(source).get_next_fire_time(None, now + timedelta(microseconds=1))
    return found.astimezone(UTC) if found else None


def last_due(source: Source, now: datetime) -> datetime | None:
    """The newest slot that is not after `now`, None where nothing is expected or none was within 40 days."""
    if not source.cron:
        return None
    for reach in _LOOK_BACK:
        slots = list(_slots(source, now - reach, now))
        if slots:
            return slots[-1]
    return None


def overdue_since(source: Source, now: datetime) -> datetime | None:
    """The newest slot whose time for arriving is over."""
    return last_due(source, now - timedelta(minutes=source.expected_minutes))


def _slots(source: Source, start: datetime, end: datetime) -> Iterator[datetime]:
    trigger = trigger_of(source)
    found = trigger.get_next_fire_time(None, start)
    while found is not None and found <= end:
        yield found.astimezone(UTC)
        found = trigger.get_next_fire_time(None, found + timedelta(seconds=1))
