"""One damaged file at a time against the reader it was made for, and what must hold whatever the reader says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from tests.fuzz.corpus import samples
from tests.fuzz.mutations import damaged

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.errors import Refused
from geowarn.domain.rain import Forecast
from geowarn.pipeline.companion import receive_alert
from geowarn.pipeline.ingest import ingest, reading_of
from geowarn.ports import Reader, UnitOfWork
from geowarn.sources.cap_alert import CapAlertReader
from geowarn.store.unit_of_work import SqlStore

ALERTS = "cap"
NOW = datetime(2026, 7, 23, 4, 0, tzinfo=UTC)
_SQUARE = {"type": "Polygon", "coordinates": [[[121, 37], [121.5, 37], [121.5, 37.5], [121, 37.5], [121, 37]]]}
_AREAS = (
    Area("370682", AreaKind.COUNTY, "370682", "370682", lon=120.7, lat=36.97),
    Area("370687", AreaKind.COUNTY, "370687", "370687", geometry=_SQUARE),
)


class StillClock:
    """Always the same moment."""

    def now(self) -> datetime:
        return NOW


@dataclass(frozen=True)
class Case:
    """One damaged file, repeatable from these three."""

    reader: str
    sample: int
    seed: int


@dataclass
class Bench:
    """Readers, a store that is new whenever something was taken in, and the good files."""

    folder: Path
    readers: dict[str, Reader]
    store: SqlStore = field(init=False)
    corpus: dict[str, list[bytes]] = field(init=False)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.corpus = {name: samples(name) for name in (*self.readers, ALERTS)}
        (self.folder / "raw").mkdir()
        self.clear()

    def clear(self) -> None:
        """No kept payload, and an empty store with the areas that the good files name."""
        for path in (self.folder / "raw").iterdir():
            path.unlink()
        self.store = SqlStore.in_memory()
        with self.store.begin() as work:
            work.areas.save_all(_AREAS)
            work.commit()

    def try_case(self, case: Case) -> str | None:
        """What is wrong, or None."""
        own = self.corpus[case.reader][case.sample]
        others = [data for name, files in self.corpus.items() if name != case.reader for data in files]
        kind, data = damaged(case.seed, own, others)
        file = self.folder / "damaged"
        file.write_bytes(data)
        try:
            fault = self._alert(file) if case.reader == ALERTS else self._rain(case.reader, file)
        except Refused:
            self.counts[f"{case.reader} refused"] += 1
            return self._traces(kind)
        self.counts[f"{case.reader} taken in"] += 1
        self.clear()
        return f"{kind}: {fault}" if fault else None

    def _rain(self, reader: str, file: Path) -> str | None:
        made = ingest(
            self.store, StillClock(), self.readers, self.folder / "raw", reader, [file],
            source=None, synthetic_installation=False, actor_text="fuzz",
        )  # fmt: skip
        faults = [fault for forecast in made if (fault := self._fault_of(forecast))]
        with self.store.read() as work:
            return faults[0] if faults else _more_than_input(work)

    def _fault_of(self, forecast: Forecast) -> str | None:
        try:
            reading = reading_of(forecast, self.readers, self.folder / "raw")
        except Refused as refusal:
            return f"taken in, then {refusal}"
        for rain in reading.fields:
            values = np.asarray(rain.values, dtype=np.float64)
            known = values[~np.isnan(values)]
            if values.size != rain.support.size or np.isinf(known).any() or (known < 0).any() or (known > 5000).any():
                return f"values that cannot be rain in {rain.period}"
        return None

    def _alert(self, file: Path) -> str | None:
        received = receive_alert(self.store, StillClock(), CapAlertReader(), self.folder / "raw", file, "fuzz")
        with self.store.read() as work:
            tasks, current = work.tasks.pending(), work.companions.current(NOW)
            raised = received.outcome == "attention"
            if (len(tasks), len(current)) != (int(raised), int(raised)):
                return f"{received.outcome}, but {len(tasks)} tasks and {len(current)} alerts in force"
            if not set(received.areas) <= {area.code for area in _AREAS}:
                return f"areas {received.areas}"
            return "a forecast came of an alert" if work.forecasts.latest() else _more_than_input(work)

    def _traces(self, kind: str) -> str | None:
        with self.store.read() as work:
            rows = [*work.forecasts.latest(), *work.companions.current(NOW), *work.tasks.pending()]
            entries = len(work.ledger.entries())
        kept = [path.name for path in (self.folder / "raw").iterdir()]
        if rows or entries or kept:
            return f"{kind}: refused, but {len(rows)} rows, {entries} entries, files {kept}"
        return None


def _more_than_input(work: UnitOfWork) -> str | None:
    """A file by itself makes no level and no proposal."""
    return "a level came of it" if work.assessments.latest() or work.warnings.all() else None
