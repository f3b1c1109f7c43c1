"""A run as a configured source brings it: whole, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from geowarn.domain.errors import Refused
from geowarn.domain.rain import Forecast, Payload, RainKind, Reading
from geowarn.domain.source import Incomplete, Source, Superseded, lacking
from geowarn.domain.source_choice import FURTHEST_AHEAD
from geowarn.pipeline.ingest import ingest
from geowarn.pipeline.reader_options import with_options
from geowarn.ports import Clock, Reader, Store


@dataclass(frozen=True, slots=True)
class Intake:
    """The ports that taking in needs, and who does it."""

    store: Store
    clock: Clock
    readers: Mapping[str, Reader]
    raw_dir: Path
    synthetic: bool
    actor_text: str

    def take(self, source: Source | None, reader: str, files: Sequence[Path]) -> tuple[Forecast, ...]:
        """Ingest the files of one run together; raises Refused, Incomplete or Superseded and keeps nothing.

        Without a source nothing is asked of the run.
        """
        return ingest(
            self.store,
            self.clock,
            self.readers,
            self.raw_dir,
            reader,
            files,
            source=None,
            synthetic_installation=self.synthetic,
            actor_text=self.actor_text,
            origin=source.name if source else "",
            options=source.options if source else None,
            accept=partial(self._accept, source) if source else None,
        )

    def _accept(self, source: Source, readings: Sequence[Reading]) -> None:
        in_use = self._newest_run(source)
        for reading in readings:
            only_forecast = all(one.kind is RainKind.FORECAST for one in reading.fields)
            if reading.run_time > self.clock.now() + FURTHEST_AHEAD:  # it would make every true run look old
                raise Refused("plan.future", source=source.name, run_time=reading.run_time.isoformat())
            if only_forecast and in_use is not None and reading.run_time < in_use:
                raise Superseded(reading.run_time)
            gaps = lacking(reading, source.needs_hours)
            if gaps:
                raise Incomplete(reading.run_time, gaps)

    def _newest_run(self, source: Source) -> datetime | None:
        with self.store.read() as work:
            kept = work.forecasts.of_origin(source.name)
        return max((one.run_time for one in kept if RainKind.FORECAST in one.kinds), default=None)

    def readable(self, source: Source | None, reader: str, file: Path) -> bool:
        """Whether a file of a run can be read by itself."""
        try:
            chosen = with_options(self.readers[reader], source.options) if source else self.readers[reader]
            return bool(chosen.read([Payload(file, file.name)]))
        except (Refused, KeyError):
            return False
