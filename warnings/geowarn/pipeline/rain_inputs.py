"""What an assessment is made from: payloads read again, the window, and the observations near it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from geowarn.domain.canonical import sha256_hex
from geowarn.domain.errors import Refused
from geowarn.domain.period import Period, uncovered
from geowarn.domain.rain import Forecast, RainField, RainKind
from geowarn.domain.rules import RuleSet
from geowarn.ports import Reader, UnitOfWork


@dataclass(frozen=True, slots=True)
class Decoder:
    """Reads stored payloads again; bytes that no longer have their digest are refused."""

    readers: Mapping[str, Reader]
    raw_dir: Path

    def fields(self, forecast: Forecast) -> tuple[RainField, ...]:
        """The fields of a stored forecast; raises Refused naming it."""
        reader = self.readers.get(forecast.reader)
        if reader is None:
            raise Refused("assess.no-reader", forecast=forecast.id, reader=forecast.reader)
        payload = self.raw_dir / forecast.payload_digest
        try:
            data = payload.read_bytes()
        except OSError:
            raise Refused("assess.raw-missing", forecast=forecast.id, digest=forecast.payload_digest) from None
        if sha256_hex(data) != forecast.payload_digest:
            raise Refused("assess.raw-changed", forecast=forecast.id, digest=forecast.payload_digest)
        return reader.read(payload, forecast.file_name).fields


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


def observations(work: UnitOfWork, forecast: Forecast, window: Period, rules: RuleSet) -> list[Forecast]:
    """Other stored observations that may fill the window's day or the days before, newest received first."""
    days = int(rules.parameters.get("antecedent_days", 15))
    period = Period.ending(window.end, 24 * (days + 1))
    return [row for row in work.forecasts.covering(period, RainKind.OBSERVED) if row.id != forecast.id]


def observed_fields(decoder: Decoder, rows: Sequence[Forecast]) -> tuple[RainField, ...]:
    """The observed fields of these, in their order."""
    return tuple(field for row in rows for field in decoder.fields(row) if field.kind is RainKind.OBSERVED)
