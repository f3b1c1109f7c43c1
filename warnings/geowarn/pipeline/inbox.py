"""Watched folders → forecasts, without any command: `inbox/<source>/`, or `inbox/<reader>/` where none is configured.

A file is touched only when it has stopped growing. The files of one run are taken in together and only when the run
is complete; until then they lie where they are. A refused file is set aside with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.errors import Refused
from geowarn.domain.rain import Forecast
from geowarn.domain.source import Incomplete, Source, Superseded
from geowarn.pipeline.intake import Intake
from geowarn.pipeline.source_notes import note_good, note_older, note_refused, note_waiting, watch_patience

TAKEN, REFUSED = "taken", "refused"
OTHERS = "issuers"  # folders of other issuers' warnings
_NO_RAIN = ("cap", OTHERS)  # alerts of the weather service and of others are taken in elsewhere
_UNFINISHED = (".part", ".tmp", ".filepart")
_CALM_SECONDS = 10  # a file last changed this long ago is whole; a younger one must look the same twice


class _State(NamedTuple):
    size: int
    changed: int  # nanoseconds


class Looked(NamedTuple):
    """What was taken in, and what the program itself failed at."""

    taken: tuple[Forecast, ...]
    faults: tuple[Exception, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The files of one run; `source` None: an unconfigured folder, named after its reader."""

    folder: Path
    reader: str
    source: Source | None
    run: str
    files: tuple[Path, ...]

    @property
    def name(self) -> str:
        """What events call the source."""
        return self.source.name if self.source else self.folder.name

    @property
    def own_folder(self) -> str:
        """Where its taken files are kept, so that later files of the same run join them; empty: nowhere special."""
        return f"{self.name}/run-{self.run}" if self.source and self.source.pattern else ""


class Inbox:
    """Looks into the watched folders; what it remembers between looks only saves work."""

    def __init__(self, folder: Path, intake: Intake, sources: Mapping[str, Source]) -> None:
        self.folder, self.intake, self.sources = folder, intake, sources
        self._seen: dict[Path, _State] = {}
        self._tried: dict[tuple[Path, str], tuple[tuple[Path, _State], ...]] = {}

    def look(self, only: str | None = None) -> Looked:
        """Take in every complete run, newest first, of one folder where it is named.

        What goes wrong with one keeps no other waiting.
        """
        folders = [one for one in self._folders() if only is None or one.name == only]
        settled = {folder: self._settled(folder) for folder in folders}
        taken: list[Forecast] = []
        faults = []
        for group in (group for folder in folders for group in self._groups(folder, settled[folder])):
            try:
                taken += self._take(group)
            except Exception as fault:
                faults.append(fault)
        return Looked(tuple(taken), tuple(faults))

    def _folders(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return [
            one for one in sorted(self.folder.iterdir()) if one.is_dir() and one.name not in (TAKEN, REFUSED, *_NO_RAIN)
        ]

    def _settled(self, folder: Path) -> list[Path]:
        now = self.intake.clock.now().timestamp()
        found = []
        for file in sorted(folder.iterdir()):
            if not file.is_file() or file.name.startswith(".") or file.suffix in _UNFINISHED:
                continue
            state = _state(file)
            if self._seen.get(file) == state or state.changed / 1e9 < now - _CALM_SECONDS:
                found.append(file)
            self._seen[file] = state
        return found

    def _groups(self, folder: Path, files: Sequence[Path]) -> list[Group]:
        """The runs in one folder, newest first; a disabled source's folder is left alone."""
        source = self.sources.get(folder.name)
        if source is not None and not source.enabled:
            return []
        reader = source.reader if source else folder.name
        if source is None or not source.pattern:
            newest = sorted(files, key=lambda file: (-_state(file).changed, file.name))
            return [Group(folder, reader, source, file.name, (file,)) for file in newest]
        runs: dict[str, list[Path]] = {}
        for file in files:
            found = re.search(source.pattern, file.name)
            if found is None or not found["run"]:
                refusal = Refused("plan.file-name", file=file.name, source=source.name, pattern=source.pattern)
                self._refuse(Group(folder, reader, source, file.name, (file,)), file, refusal)
            else:
                runs.setdefault(found["run"], []).append(file)
        return [Group(folder, reader, source, run, tuple(runs[run])) for run in sorted(runs, reverse=True)]

    def _take(self, group: Group) -> tuple[Forecast, ...]:
        state = tuple((file, _state(file)) for file in group.files)
        if self._tried.get((group.folder, group.run)) == state:
            self._watch(group)
            return ()
        try:
            return self._ingest(group)
        except Incomplete as gap:
            self._wait(group, gap.facts())
            self._tried[group.folder, group.run] = state
        except Superseded as older:
            self._put_by(group, older)
        except Refused as refusal:
            if not self._blame(group, refusal):
                self._tried[group.folder, group.run] = state
        return ()

    def _ingest(self, group: Group) -> tuple[Forecast, ...]:
        forecasts = self.intake.take(group.source, group.reader, self._with_earlier(group))
        if group.source is not None:
            with self.intake.store.begin() as work:
                note_good(work, group.name, group.run, forecasts, self.intake.clock.now(), {})
                work.commit()
        for file in group.files:
            self._set_aside(TAKEN, group.own_folder, file)
        return forecasts

    def _with_earlier(self, group: Group) -> list[Path]:
        """The run's files with those taken before, in order of name: totals from a run's start need each other."""
        kept = self.folder / TAKEN / group.own_folder
        earlier = {file.name: file for file in kept.iterdir()} if group.own_folder and kept.is_dir() else {}
        both = earlier | {file.name: file for file in group.files}
        return [both[name] for name in sorted(both)]

    def _wait(self, group: Group, facts: Mapping[str, object]) -> None:
        with self.intake.store.begin() as work:
            note_waiting(work, group.name, group.run, self.intake.clock.now(), {"files": len(group.files), **facts})
            work.commit()
        self._watch(group)

    def _watch(self, group: Group) -> None:
        if group.source is None:
            return
        with self.intake.store.begin() as work:
            if watch_patience(work, group.source, group.run, self.intake.clock.now()):
                work.commit()

    def _put_by(self, group: Group, older: Superseded) -> None:
        with self.intake.store.begin() as work:
            note_older(work, group.name, group.run, older.run_time, self.intake.clock.now())
            work.commit()
        for file in group.files:
            self._set_aside(TAKEN, "", file)

    def _blame(self, group: Group, refusal: Refused) -> bool:
        """Set the bad file aside; where it reads by itself the run may only lack another: wait, and return False."""
        named = [file for file in group.files if file.name == refusal.facts.get("file")] or list(group.files)
        if len(group.files) == 1 or not self.intake.readable(group.source, group.reader, named[0]):
            self._refuse(group, named[0], refusal)
            return True
        self._wait(group, {"key": refusal.key, "facts": refusal.kept()})
        return False

    def _refuse(self, group: Group, file: Path, refusal: Refused) -> None:
        fingerprint = sha256_hex(canonical_json([file.name, *_state(file)]))
        with self.intake.store.begin() as work:
            note_refused(work, group.name, file.name, fingerprint, refusal, self.intake.clock.now())
            work.commit()
        self._set_aside(REFUSED, "", file)

    def _set_aside(self, kind: str, own: str, file: Path) -> None:
        folder = self.folder / kind / own
        folder.mkdir(parents=True, exist_ok=True)
        file.replace(folder / (file.name if own else f"{self.intake.clock.now():%Y%m%dT%H%M%S}-{file.name}"))
        self._seen.pop(file, None)


def _state(file: Path) -> _State:
    found = file.stat()
    return _State(found.st_size, found.st_mtime_ns)
