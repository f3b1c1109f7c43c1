"""First step of the line: a payload becomes a forecast, its bytes kept below `raw/` by digest."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from geowarn.catalogue import say
from geowarn.domain.errors import Refused
from geowarn.domain.notes import parse_note
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, Forecast, RainField, Reading
from geowarn.ports import Clock, Reader, Store

MOST_MEBIBYTES = 512
_BLOCK = 1 << 20


def ingest(
    store: Store,
    clock: Clock,
    readers: Mapping[str, Reader],
    raw_dir: Path,
    reader_name: str,
    file: Path,
    *,
    source: str | None,
    synthetic_installation: bool,
    actor_text: str,
) -> Forecast:
    """Read one file and keep it; raises Refused and changes nothing for a file that is bad.

    The same bytes again give the forecast already kept, and no second ledger entry. `source` overrides the name the
    file gives itself. The payload is in place before the transaction, so a forecast never lacks its bytes.
    """
    reader = _reader(readers, reader_name)
    if source is not None and not (source.isprintable() and 0 < len(source.strip()) <= 200):
        raise Refused("ingest.source", value=source[:40] if source.isprintable() else repr(source)[:40])
    with _own_copy(file, raw_dir) as (copy, digest):
        known = _known(store, digest)
        if known:
            _restore(copy, raw_dir / digest)
            return known
        reading = reader.read(copy, file.name)
        _refuse_unknown_areas(store, reading, copy, file.name)
        forecast = _forecast(reading, digest, reader.name, file.name, clock, source, synthetic_installation)
        _keep(copy, raw_dir / digest)
        return _record(store, forecast, reading, actor_text)


def known_forecast(store: Store, file: Path) -> Forecast | None:
    """The forecast these very bytes already are, or None; raises Refused when the file cannot be read."""
    try:
        with file.open("rb") as handle:
            return _known(store, hashlib.file_digest(handle, "sha256").hexdigest())
    except OSError:
        raise Refused("ingest.no-file", file=file.name) from None


def fields_of(forecast: Forecast, readers: Mapping[str, Reader], raw_dir: Path) -> tuple[RainField, ...]:
    """The forecast's fields, decoded again from its kept payload; raises Refused when that is gone or changed."""
    return reading_of(forecast, readers, raw_dir).fields


def reading_of(forecast: Forecast, readers: Mapping[str, Reader], raw_dir: Path) -> Reading:
    """Everything the kept payload says, under the forecast's own source name."""
    payload = raw_dir / forecast.payload_digest
    try:
        with payload.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError:
        raise Refused("ingest.raw-missing", forecast=forecast.id, file=forecast.file_name) from None
    if digest != forecast.payload_digest:
        raise Refused("ingest.raw-changed", forecast=forecast.id, file=forecast.file_name)
    reading = _reader(readers, forecast.reader).read(payload, forecast.file_name)
    fields = tuple(replace(field, source=forecast.source) for field in reading.fields)
    return replace(reading, fields=fields, source=forecast.source)


def note_sentence(text: str, language: str) -> str:
    """A reader's note as a sentence for a person."""
    key, facts = parse_note(text)
    return say(key, language, **facts)


def _reader(readers: Mapping[str, Reader], name: str) -> Reader:
    if name not in readers:
        raise Refused("ingest.unknown-reader", reader=name, known=", ".join(sorted(readers)))
    return readers[name]


def _known(store: Store, digest: str) -> Forecast | None:
    with store.read() as work:
        return work.forecasts.by_digest(digest)


@contextmanager
def _own_copy(file: Path, raw_dir: Path) -> Iterator[tuple[Path, str]]:
    """A private copy and its SHA-256: what is read is what is kept, even if the file changes meanwhile."""
    raw_dir.mkdir(parents=True, exist_ok=True)
    if not file.is_file():
        raise Refused("ingest.no-file", file=file.name)
    handle, name = tempfile.mkstemp(prefix=".incoming-", dir=raw_dir)
    copy = Path(name)
    try:
        with os.fdopen(handle, "wb") as target:
            digest = _copied(file, target)
        yield copy, digest
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


def _restore(copy: Path, place: Path) -> None:
    if not place.is_file():
        _keep(copy, place)


def _refuse_unknown_areas(store: Store, reading: Reading, payload: Path, file_name: str) -> None:
    codes = {code for field in reading.fields if isinstance(field.support, AreaUnits) for code in field.support.codes}
    if not codes:
        return
    with store.read() as work:
        unknown = codes - {area.code for area in work.areas.all()}
    if unknown:
        line, code = min((_line_of(code, payload), code) for code in unknown)
        raise Refused("ingest.unknown-area", file=file_name, line=line, code=code)


def _line_of(code: str, payload: Path) -> int:
    wanted = code.encode()
    for number, line in enumerate(payload.read_bytes().splitlines(), start=1):
        if wanted in (cell.strip(b' "') for cell in line.split(b",")):
            return number
    return 0


def _forecast(
    reading: Reading,
    digest: str,
    reader: str,
    file_name: str,
    clock: Clock,
    source: str | None,
    synthetic_installation: bool,
) -> Forecast:
    periods = [field.period for field in reading.fields]
    return Forecast(
        id=f"f-{digest[:10]}",
        reader=reader,
        source=source or reading.source,
        file_name=file_name,
        payload_digest=digest,
        received_at=clock.now(),
        run_time=reading.run_time,
        coverage=Period(min(p.start for p in periods), max(p.end for p in periods)),
        fields=len(periods),
        kinds=frozenset(field.kind for field in reading.fields),
        synthetic=reading.synthetic or synthetic_installation,
    )


def _record(store: Store, forecast: Forecast, reading: Reading, actor_text: str) -> Forecast:
    with store.begin() as work:
        meanwhile = work.forecasts.by_digest(forecast.payload_digest)
        if meanwhile:
            return meanwhile
        work.forecasts.add(forecast)
        work.ledger.append(
            forecast.received_at, actor_text, "forecast.ingested", forecast.id, _facts(forecast, reading)
        )
        work.commit()
    return forecast


def _facts(forecast: Forecast, reading: Reading) -> dict[str, Any]:
    return {
        "reader": forecast.reader,
        "source": forecast.source,
        "file_name": forecast.file_name,
        "payload_sha256": forecast.payload_digest,
        "run_time": forecast.run_time.isoformat(),
        "coverage": [forecast.coverage.start.isoformat(), forecast.coverage.end.isoformat()],
        "fields": forecast.fields,
        "kinds": sorted(forecast.kinds),
        "synthetic": forecast.synthetic,
        "notes": list(reading.notes),
    }
