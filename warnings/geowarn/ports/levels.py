"""What brings rain and makes levels of it: readers, fetchers, models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from geowarn.domain.area import Area
from geowarn.domain.assessment import Assessment
from geowarn.domain.companion import AlertMessage
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, Payload, RainField, Reading
from geowarn.domain.rules import RuleSet
from geowarn.domain.settings_table import SettingsTable


class Reader(Protocol):
    """Makes rain fields of the files of one run (`geowarn.sources`).

    Reads every file whole or refuses, naming file, place and reason; bad input changes nothing.
    """

    name: str

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        """One reading for each run or model that the files hold, each with a `part` of its own; at least one.

        A run may come in one file or in one file a step: all of them are given together, because a total counted
        from the start of the run can only be parted beside the one before it.
        """
        ...


class ConfigurableReader(Reader, Protocol):
    """A reader that an office may tell what its files do not say; the options are kept with the forecast."""

    def configured(self, options: SettingsTable) -> Reader:
        """The same reader with these options; raises Refused naming the one that is wrong."""
        ...


class AlertReader(Protocol):
    """Makes a message of one CAP alert of the weather service."""

    def read(self, data: bytes, file_name: str) -> AlertMessage:
        """The message; raises Refused naming file, line, field and reason."""
        ...


@dataclass(frozen=True, slots=True)
class Errand:
    """What a fetcher is sent for; `known` is what its last good haul said, to ask only for what is newer.

    `stopped` waits so many seconds and says whether the program is to end: then the fetcher gives up.
    """

    parameters: SettingsTable
    folder: Path  # empty, for the files
    now: datetime
    known: Mapping[str, str]
    stopped: Callable[[float], bool]


@dataclass(frozen=True, slots=True)
class Haul:
    """What came: the files of one run, none where there is nothing newer.

    `known` goes into the next errand. `waits_for` names what a newer run still lacks, `newer` is that run.
    """

    files: tuple[Path, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)
    waits_for: tuple[str, ...] = ()
    newer: str = ""


class Fetcher(Protocol):
    """Brings the files of a source's newest run over the network (`geowarn.fetchers`)."""

    name: str

    def check(self, parameters: SettingsTable) -> None:
        """Raise Refused naming the parameter that is wrong."""
        ...

    def fetch(self, errand: Errand) -> Haul:
        """The newest whole run; raises Refused where the far end gives none. Ends by itself, within its limits."""
        ...


@dataclass(frozen=True, slots=True)
class Rain:
    """Everything that may fill a window: the assessed forecast's fields and all observations nearby."""

    forecast: Forecast
    fields: tuple[RainField, ...]  # of the assessed forecast
    observed: tuple[RainField, ...]  # newest source first


class HazardModel(Protocol):
    """Turns rain into a level per area (`geowarn.models`)."""

    name: str

    def check(self, rules: RuleSet) -> None:
        """Raise Refused when the parameters do not fit this model, naming the parameter."""
        ...

    def history_hours(self, rules: RuleSet) -> int:
        """How many hours before the window's end observed rain still matters."""
        ...

    def assess(
        self, areas: Sequence[Area], rain: Rain, window: Period, rules: RuleSet, cache: Path | None
    ) -> tuple[Assessment, ...]:
        """One assessment per area in the order given; zonal weights are kept below `cache`."""
        ...
