"""The regular longitude/latitude grid of a GRIB header, proven from its corners."""

from __future__ import annotations

from geowarn.domain.rain import Grid
from geowarn.sources.grib_time import Header


def regular_grid(header: Header) -> Grid:
    """A grid that begins in the west; raises Refused where corners, steps and direction do not fit together."""
    first, last = (header[f"longitudeOf{end}GridPointInDegrees"] for end in ("First", "Last"))
    west, east = (last, first) if header["iScansNegatively"] else (first, last)
    lat0, lat1 = (header[f"latitudeOf{end}GridPointInDegrees"] for end in ("First", "Last"))
    if max(abs(lat0), abs(lat1)) > 90:
        raise header.bad("latitudeOfFirstGridPointInDegrees")
    if not all(-180 <= lon <= 360 for lon in (west, east)):
        raise header.bad("longitudeOfFirstGridPointInDegrees")
    span = east - west if east > west or header["Ni"] == 1 else east - west + 360
    dlon = _step(header, "Ni", span, "iDirectionIncrementInDegrees")
    dlat = _step(header, "Nj", abs(lat1 - lat0), "jDirectionIncrementInDegrees")
    if (lat1 < lat0) == bool(header["jScansPositively"]) and header["Nj"] > 1:
        raise header.bad("jScansPositively")
    lon0 = west - 360 if west >= 180 else west
    return Grid(lon0, lat0, dlon, dlat if header["jScansPositively"] else -dlat, header["Ni"], header["Nj"])


def _step(header: Header, count: str, span: float, field: str) -> float:
    """Degrees between neighbours, from the corners in whole microdegrees; a written step must fit but for rounding."""
    steps, written, whole = header[count] - 1, header[field], round(span * 1e6)
    micro = round(written * 1e6) if written and 0 < written <= 360 else 0
    if steps == 0 and micro > 0:
        return micro / 1e6
    if steps == 0 or whole <= 0:
        raise header.bad(field)
    if micro and micro * steps == whole:
        return micro / 1e6
    if micro and abs(micro * steps - whole) > max(1000 * steps, 1000) * 0.5 + 1:
        raise header.bad(field)
    return float(whole / steps / 1e6)
