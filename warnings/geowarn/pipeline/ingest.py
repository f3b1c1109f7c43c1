"""First step of the line: a payload becomes a forecast, its bytes kept below `raw/` by digest."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from geowarn.catalogue import say
from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.errors import Refused
from geowarn.domain.notes import parse_note
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, Forecast, Option, Payload, RawFile, Reading
from geowarn.domain.settings_table import SettingsTable
from geowarn.pipeline.reader_options import kept as options_kept
from geowarn.pipeline.reader_options import of_forecast, reader_named, with_options
from geowarn.ports import Clock, Reader, Store

MOST_MEBIBYTES = 512
_BLOCK = 1 << 20


def ingest(
    store: Store,
    clock: Clock,
    readers: Mapping[str, Reader],
    raw_dir: Path,
    reader_name: str,
    files: Sequence[Path],
    *,
    source: str | None,
    synthetic_installation: bool,
    actor_text: str,
    origin: str = "",
    options: SettingsTable | None = None,
    accept: Callable[[Sequence[Reading]], None] | None = None,
) -> tuple[Forecast, ...]:
    """Read the files of one run and keep them; raises Refused and changes nothing for a file that is bad.

    One forecast for each run or model in the files. The same bytes again give the forecasts already kept, and no
    second ledger entry. `source` overrides the name the files give themselves, `origin` names the configured source
    that brought them, `options` are the reader's, and `accept` raises where what was read is not wanted. Payloads are
    in place before the transaction, so a forecast never lacks its bytes.
    """
    reader = reader_named(readers, reader_name)
    reader = with_options(reader, options) if options else reader
    if source is not None and not (source.isprintable() and 0 < len(source.strip()) <= 200):
        raise Refused("ingest.source", value=source[:40] if source.isprintable() else repr(source)[:40])
    with ExitStack() as stack:
        copies = [stack.enter_context(_own_copy(file, raw_dir)) for file in files]
        kept = tuple(RawFile(file.name, copy.digest) for file, copy in zip(files, copies, strict=True))
        known = _known(store, run_digest(kept, options_kept(options)))
        if known:
            _keep_missing(copies, raw_dir)
            return known
        payloads = [Payload(copy.path, file.name) for file, copy in zip(files, copies, strict=True)]
        readings = reader.read(payloads)
        for reading in readings:
            _refuse_unknown_areas(store, reading, payloads)
        if accept is not None:
            accept(readings)
        facts = (reader.name, kept, clock.now(), source, synthetic_installation, origin, options_kept(options))
        received = _Received(*facts)
        _keep_missing(copies, raw_dir)
        return _record(store, received, readings, actor_text)


def run_digest(files: Sequence[RawFile], options: Sequence[Option] = ()) -> str:
    """What a run is known by: its only file's SHA-256, or the SHA-256 over its files' digests and its options."""
    digests = [file.digest for file in files]
    if options:
        return sha256_hex(canonical_json([digests, [list(one) for one in options]]))
    return digests[0] if len(digests) == 1 else sha256_hex(canonical_json(digests))


def reading_of(forecast: Forecast, readers: Mapping[str, Reader], raw_dir: Path) -> Reading:
    """What the kept files say of this forecast, under its own source name; refused when one is gone or changed."""
    for file in forecast.raw_files:
        _refuse_changed(forecast, file, raw_dir / file.digest)
    payloads = [Payload(raw_dir / file.digest, file.name) for file in forecast.raw_files]
    reader = with_options(reader_named(readers, forecast.reader), of_forecast(forecast.id, forecast.options))
    found = [one for one in reader.read(payloads) if one.part == forecast.part]
    if not found:
        raise Refused("ingest.part-missing", forecast=forecast.id, file=forecast.file_name, part=forecast.part)
    fields = tuple(replace(field, source=forecast.source) for field in found[0].fields)
    return replace(found[0], fields=fields, source=forecast.source)


def _refuse_changed(forecast: Forecast, file: RawFile, kept: Path) -> None:
    try:
        with kept.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError:
        raise Refused("ingest.raw-missing", forecast=forecast.id, file=file.name) from None
    if digest != file.digest:
        raise Refused("ingest.raw-changed", forecast=forecast.id, file=file.name)


def note_sentence(text: str, language: str) -> str:
    """A reader's note as a sentence for a person."""
    key, facts = parse_note(text)
    return say(key, language, **facts)


def _known(store: Store, digest: str) -> tuple[Forecast, ...]:
    with store.read() as work:
        return work.forecasts.by_digest(digest)


class _Copy(NamedTuple):
    path: Path
    digest: str


@contextmanager
def _own_copy(file: Path, raw_dir: Path) -> Iterator[_Copy]:
    """A private copy and its SHA-256: what is read is what is kept, even if the file changes meanwhile."""
    raw_dir.mkdir(parents=True, exist_ok=True)
    if not file.is_file():
        raise Refused("ingest.no-file", file=file.name)
    handle, name = tempfile.mkstemp(prefix=".incoming-", dir=raw_dir)
    copy = Path(name)
    try:
        with os.fdopen(handle, "wb") as target:
            digest = _copied(file, target)
        yield _Copy(copy, digest)
    finally:
        copy.unlink(missing_ok=True)


def _copied(file: Path, target: BinaryIO) -> str:
    digest, size = hashlib.sha256(), 0
    try:
        with file.open("rb") as handle:
            while block := handle.read(_BLOCK):
                size += len(block)
                if size > MOST_MEBIBYTES * _BLOCK:
                    whole = -(-file.stat().st_size // _BLOCK)
                    raise Refused("ingest.too-large", file=file.name, size=whole, limit=MOST_MEBIBYTES)
                digest.update(block)
                target.write(block)
    except PermissionError:
        raise Refused("ingest.no-file", file=file.name) from None
    target.flush()
    os.fsync(target.fileno())
    return digest.hexdigest()


def _keep(copy: Path, place: Path) -> None:
    os.replace(copy, place)
    with suppress(OSError, AttributeError):  # a folder cannot be flushed everywhere
        folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _keep_missing(copies: Sequence[_Copy], raw_dir: Path) -> None:
    for copy in copies:
        if not (raw_dir / copy.digest).is_file():
            _keep(copy.path, raw_dir / copy.digest)


def _refuse_unknown_areas(store: Store, reading: Reading, payloads: Sequence[Payload]) -> None:
    codes = {code for field in reading.fields if isinstance(field.support, AreaUnits) for code in field.support.codes}
    if not codes:
        return
    with store.read() as work:
        unknown = codes - {area.code for area in work.areas.plain()}
    if unknown:
        line, code, name = _first_of(unknown, payloads)
        raise Refused("ingest.unknown-area", file=name, line=line, code=code)


def _first_of(codes: set[str], payloads: Sequence[Payload]) -> tuple[int, str, str]:
    """Line, code and file of the first of these codes that stands anywhere."""
    for payload in payloads:
        found = [(line, code) for code in codes if (line := _line_of(code, payload.path))]
        if found:
            return (*min(found), payload.name)
    return 0, min(codes), payloads[0].name


def _line_of(code: str, payload: Path) -> int:
    wanted = code.encode()
    for number, line in enumerate(payload.read_bytes().splitlines(), start=1):
        if wanted in (cell.strip(b' "') for cell in line.split(b",")):
            return number
    return 0


@dataclass(frozen=True, slots=True)
class _Received:
    """What holds for every forecast made of the files handed in."""

    reader: str
    files: tuple[RawFile, ...]
    at: datetime
    source: str | None
    synthetic: bool
    origin: str
    options: tuple[Option, ...]

    @property
    def digest(self) -> str:
        """What the run is known by."""
        return run_digest(self.files, self.options)

    def forecast(self, reading: Reading) -> Forecast:
        """One reading as the line keeps it; a part of several keeps its name in source and id."""
        digest, periods = self.digest, [field.period for field in reading.fields]
        named = f"{self.source} {reading.part}".strip() if self.source else reading.source
        return Forecast(
            id=f"f-{digest[:10]}" + (f"-{reading.part}" if reading.part else ""),
            reader=self.reader,
            source=named,
            file_name=self.files[0].name,
            payload_digest=digest,
            received_at=self.at,
            run_time=reading.run_time,
            coverage=Period(min(p.start for p in periods), max(p.end for p in periods)),
            fields=len(periods),
            kinds=frozenset(field.kind for field in reading.fields),
            synthetic=reading.synthetic or self.synthetic,
            part=reading.part,
            origin=self.origin,
            files=self.files if len(self.files) > 1 or self.options else (),
            options=self.options,
        )


def _record(store: Store, received: _Received, readings: Sequence[Reading], actor_text: str) -> tuple[Forecast, ...]:
    with store.begin() as work:
        meanwhile = work.forecasts.by_digest(received.digest)
        if meanwhile:
            return meanwhile
        made = tuple(received.forecast(reading) for reading in sorted(readings, key=lambda one: one.part))
        for forecast, reading in zip(made, sorted(readings, key=lambda one: one.part), strict=True):
            work.forecasts.add(forecast)
            facts = _facts(forecast, reading)
            work.ledger.append(received.at, actor_text, "forecast.ingested", forecast.id, facts)
        work.commit()
    return made


def _facts(forecast: Forecast, reading: Reading) -> dict[str, Any]:
    return {
        "reader": forecast.reader,
        "source": forecast.source,
        "origin": forecast.origin,
        "file_name": forecast.file_name,
        "payload_sha256": forecast.payload_digest,
        "files": [[file.name, file.digest] for file in forecast.raw_files],
        **({"options": dict(forecast.options)} if forecast.options else {}),
        "run_time": forecast.run_time.isoformat(),
        "coverage": [forecast.coverage.start.isoformat(), forecast.coverage.end.isoformat()],
        "fields": forecast.fields,
        "kinds": sorted(forecast.kinds),
        "synthetic": forecast.synthetic,
        "notes": list(reading.notes),
    }
