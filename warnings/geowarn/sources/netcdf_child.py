"""Reads NetCDF 4 and other HDF5 files of one run in a process of its own; see `geowarn.sources.decoding`.

`described.json` holds for each file its global attributes and its variables: dimensions, shape, type, attributes,
and the `values` of small ones. Coordinates of two dimensions are written to files. Sizes are checked as declared,
before anything is read: an HDF5 file of a few bytes may claim terabytes, or hide them behind a filter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geowarn.sources.decoding import Bad, put_away, run, say, without_written_missing

_SMALL = 20_000  # values of a variable that may stand in described.json
_VARIABLES = 2_000
_CHUNK = 256 << 20  # bytes a single chunk may unfold to
_BLOCK = 64 << 20  # bytes read at once where a chunk spans several steps
_COORDINATE = ("degrees", "degree")


class NetcdfDecoder:
    """Descriptions first, then one slab after the other."""

    def __init__(self, h5py: Any, files: Sequence[Path], limits: Mapping[str, int]) -> None:
        self.h5py, self.limits = h5py, limits
        self.held: tuple[tuple[Any, ...], NDArray[Any]] = ((), np.empty(0))
        self.files = [self._opened(at, file) for at, file in enumerate(files)]

    def _opened(self, at: int, file: Path) -> Any:
        say("begin", at, "")
        try:
            return self.h5py.File(file, "r", locking=False)
        except OSError as error:
            raise Bad("netcdf.unreadable", reason=str(error)[:120]) from None

    def describe(self) -> dict[str, Any]:
        """What all files hold."""
        return {"files": [self._file(at, file) for at, file in enumerate(self.files)]}

    def _file(self, at: int, file: Any) -> dict[str, Any]:
        say("begin", at, "")
        found: dict[str, Any] = {}
        self._walk(at, file, found, set())
        return {"attributes": _attributes(file), "variables": found}

    def _walk(self, at: int, group: Any, found: dict[str, Any], seen: set[Any]) -> None:
        """Every variable below a group; links out of the file are refused, no group is entered twice."""
        for name in group:
            link = group.get(name, getlink=True)
            if isinstance(link, self.h5py.ExternalLink):
                raise Bad("netcdf.external", variable=name[:80], target=str(link.filename)[:80])
            if isinstance(link, self.h5py.SoftLink):
                continue
            item = group[name]
            if isinstance(item, self.h5py.Group) and item.id.__hash__() not in seen:
                seen.add(item.id.__hash__())
                self._walk(at, item, found, seen)
            elif isinstance(item, self.h5py.Dataset) and item.dtype.kind in "iuf":
                if len(found) >= _VARIABLES:
                    raise Bad("netcdf.variables", limit=_VARIABLES)
                found[item.name.lstrip("/")] = self._variable(at, item, len(found))

    def _variable(self, at: int, item: Any, number: int) -> dict[str, Any]:
        attributes = _attributes(item)
        held: dict[str, Any] = {
            "dims": self._dims(item, attributes),
            "shape": list(item.shape),
            "type": item.dtype.newbyteorder("=").str[1:],
            "attributes": attributes,
        }
        if item.external or item.is_virtual:
            raise Bad("netcdf.external", variable=item.name, target="?")
        if item.size is not None and 0 < item.size <= _SMALL:
            held["values"] = np.asarray(self._read(item, ()), dtype=np.float64).reshape(-1).tolist()
        elif item.ndim == 2 and str(attributes.get("units", "")).startswith(_COORDINATE):
            if item.size > self.limits["points"]:
                raise Bad("netcdf.points", variable=item.name, points=item.size)
            np.save(f"coordinate-{at}-{number}.npy", np.asarray(self._read(item, ()), dtype=np.float64))
            held["stored"] = f"coordinate-{at}-{number}.npy"
        return held

    def _dims(self, item: Any, attributes: Mapping[str, Any]) -> list[str]:
        """Names of the dimensions, by dimension scales, or as IMERG writes them beside."""
        written = str(attributes.get("DimensionNames", "")).split(",")
        found: list[str] = []
        for axis in range(item.ndim):
            scales = item.dims[axis].values() if item.dims[axis] else []
            if scales:
                found.append(str(scales[0].name).lstrip("/"))
            elif item.is_scale and item.ndim == 1:
                found.append(str(item.name).lstrip("/"))
            else:
                parent = item.name.rsplit("/", 1)[0].lstrip("/")
                alone = written[axis] if len(written) == item.ndim else f"dimension-{axis}"
                found.append(f"{parent}/{alone}".lstrip("/"))
        return found

    def decode(self, item: Mapping[str, Any]) -> None:
        """One slab as mm, row by row from north or south, west to east."""
        data = self.files[item["file"]][item["variable"]]
        say("begin", item["file"], item["variable"])
        self._refuse_large(data)
        raw = self._slab(data, item)
        values = _unpacked(raw, item)
        table = values.T if item["transpose"] else values
        table = table[:, ::-1] if item["flip"] else table
        flat = np.ascontiguousarray(table).reshape(-1)
        # What the file holds in float32 is no finer than float32 afterwards.
        put_away(item["at"], flat.astype(np.float32) if raw.dtype == np.float32 else flat, item["quantum"])

    def _refuse_large(self, data: Any) -> None:
        if data.size > self.limits["values"]:
            raise Bad("netcdf.points", variable=data.name, points=data.size)

    def _slab(self, data: Any, item: Mapping[str, Any]) -> NDArray[Any]:
        """The horizontal slab; where chunks span several steps those steps are read together."""
        index = [slice(None) if at is None else at for at in item["select"]]
        axis = item["time_axis"]
        if axis is None or not data.chunks or data.chunks[axis] == 1:
            return self._read(data, tuple(index))
        length, step = data.chunks[axis], item["select"][axis]
        plane = prod(size for at, size in zip(item["select"], data.shape, strict=True) if at is None)
        if length * plane * data.dtype.itemsize > _BLOCK:
            return self._read(data, tuple(index))
        first = step - step % length
        key = (item["file"], item["variable"], first, *item["select"][:axis], *item["select"][axis + 1 :])
        if self.held[0] != key:
            index[axis] = slice(first, min(first + length, data.shape[axis]))
            self.held = (key, self._read(data, tuple(index)))
        kept = sum(1 for at in item["select"][:axis] if at is None)
        slab: NDArray[Any] = np.take(self.held[1], step - first, axis=kept)
        return slab

    def _read(self, data: Any, index: tuple[Any, ...]) -> NDArray[Any]:
        if data.chunks and prod(data.chunks) * data.dtype.itemsize > _CHUNK:
            raise Bad("netcdf.chunk", variable=data.name, size=prod(data.chunks) * data.dtype.itemsize >> 20)
        try:
            return np.asarray(data[index])
        except OSError as error:
            raise Bad("netcdf.filter", variable=data.name, reason=str(error)[:120]) from None


def _attributes(item: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in list(item.attrs)[:200]:
        try:
            value = item.attrs[name]
        except (OSError, TypeError, ValueError):  # a type of its own, or damaged
            continue
        if isinstance(value, bytes | str):
            found[name] = (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))[:4000]
        elif isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "iufSU" and value.size <= 16:
            listed = [one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in np.ravel(value)]
            plain = [one if isinstance(one, str) else float(one) for one in listed]
            found[name] = plain[0] if len(plain) == 1 else plain
    return found


def _unpacked(raw: NDArray[Any], item: Mapping[str, Any]) -> NDArray[np.float64]:
    """mm with NaN for what is missing: fill values and valid range hold for the packed numbers (CF 2.5.1)."""
    packed = raw.view(raw.dtype.str.replace("i", "u")) if item["unsigned"] else raw
    missing = np.isnan(packed) if packed.dtype.kind == "f" else np.zeros(packed.shape, dtype=bool)
    for number in item["fill"]:
        missing |= packed == np.asarray(number).astype(packed.dtype)
    lowest, highest = item["valid"]
    missing |= (packed < lowest) if lowest is not None else False
    missing |= (packed > highest) if highest is not None else False
    values = packed.astype(np.float64)
    if item["scale"] != 1 or item["offset"] != 0:
        values = values * item["scale"] + item["offset"]
    values = np.where(missing, np.nan, values)
    known = without_written_missing(values, item["scale"] if raw.dtype.kind != "f" else 0.0)
    return known * float(item["factor"])


def _begin(files: Sequence[Path], limits: Mapping[str, int]) -> NetcdfDecoder:
    try:
        import h5py  # type: ignore[import-untyped,unused-ignore]
    except (ImportError, OSError):
        raise Bad("netcdf.not-installed") from None
    return NetcdfDecoder(h5py, files, limits)


if __name__ == "__main__":
    run(_begin)
