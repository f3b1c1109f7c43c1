"""NOAA GFS 0.25 degree: `gfs.<date>/<hour>/atmos/gfs.t<hour>z.pgrb2.0p25.f<step>` with its `.idx`.

The index holds one message a line, `number:first byte:d=date:variable:level:time:`; a message ends where the next one
begins (https://www.nco.ncep.noaa.gov/pmb/products/gfs/). `APCP` comes in buckets of up to 6 h and, at some steps,
beside them from the run's start: both are fetched, the reader tells them apart.
"""

from __future__ import annotations

from datetime import datetime

from geowarn.domain.errors import Refused
from geowarn.sources.fetch_http import shown
from geowarn.sources.fetch_runs import Piece, RunFetcher


class GfsFetcher(RunFetcher):
    """`geowarn.ports.Fetcher` for GFS from NOMADS or a mirror with the same layout."""

    name = "gfs"
    base_url = "https://nomads.ncep.noaa.gov/pub/data/nccf/com/gfs/prod"

    def data_url(self, base: str, run: datetime, step: int) -> str:
        """Where the file of one step is."""
        return f"{base}/gfs.{run:%Y%m%d}/{run:%H}/atmos/gfs.t{run:%H}z.pgrb2.0p25.f{step:03d}"

    def index_url(self, data_url: str) -> str:
        """Where its index is."""
        return f"{data_url}.idx"

    def pieces(self, index: str, url: str) -> tuple[Piece, ...]:
        """The bytes of `APCP`; raises Refused naming the line."""
        rows = [(number, line.split(":")) for number, line in enumerate(index.splitlines(), start=1) if line.strip()]
        starts: list[int] = []
        for number, cells in rows:
            if len(cells) < 6 or not cells[1].isdecimal() or (starts and int(cells[1]) < starts[-1]):
                raise Refused("fetch.index", url=shown(url), line=number, value=":".join(cells)[:60])
            starts.append(int(cells[1]))
        return tuple(
            Piece(start, next((later - 1 for later in starts[place + 1 :] if later > start), None))
            for place, (start, (_, cells)) in enumerate(zip(starts, rows, strict=True))
            if cells[3] == "APCP"
        )
