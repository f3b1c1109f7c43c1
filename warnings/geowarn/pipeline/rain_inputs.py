"""What an assessment is made from: payloads read again, the window, and the observations near it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from geowarn.domain.errors import Refused
from geowarn.domain.period import Period, uncovered
from geowarn.domain.rain import Forecast, RainField, RainKind
from geowarn.pipeline.ingest import reading_of
from geowarn.ports import Reader, UnitOfWork


@dataclass(frozen=True, slots=True)
class Decoder:
    """Reads stored payloads again; bytes that no longer have their digest are refused."""

    readers: Mapping[str, Reader]
    raw_dir: Path

    def fields(self, forecast: Forecast) -> tuple[RainField, ...]:
        """The fields of a stored forecast; raises Refused naming it."""
        if forecast.reader not in self.readers:
            raise Refused("assess.no-reader", forecast=forecast.id, reader=forecast.reader)
        return reading_of(forecast, self.readers, self.raw_dir).fields


def choose_window(fields: Sequence[RainField], hours: int, at: datetime | None, now: datetime) -> Period:
    """From `at`; else from this hour or the latest interval begun that the fields cover on; else their first."""
    length = timedelta(hours=hours)
    if at is not None:
        return Period(at, at + length)
    periods = [field.period for field in fields]
    starts = sorted({period.start for period in periods})
    begun = [start for start in reversed(starts) if start <= now]
    for start in (now.replace(minute=0, second=0, microsecond=0), *begun):
        window = Period(start, start + length)
        if not uncovered(window, [period for period in periods if window.contains(period)]):
            return window
    return Period(starts[0], starts[0] + length)


def observations(work: UnitOfWork, forecast: Forecast, window: Period, hours: int) -> list[Forecast]:
    """Other stored observations of the `hours` before the window's end, newest received first."""
    period = Period.ending(window.end, hours)
    return [row for row in work.forecasts.covering(period, RainKind.OBSERVED) if row.id != forecast.id]


def observed_fields(decoder: Decoder, rows: Sequence[Forecast]) -> tuple[RainField, ...]:
    """The observed fields of these, in their order."""
    return tuple(field for row in rows for field in decoder.fields(row) if field.kind is RainKind.OBSERVED)
