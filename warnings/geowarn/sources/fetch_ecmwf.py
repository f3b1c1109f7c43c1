"""ECMWF open data: `<date>/<hour>z/ifs/0p25/oper/<date><hour>0000-<step>h-oper-fc.grib2` with its `.index`.

The index holds one JSON object a line with `param`, `_offset` and `_length`
(https://www.ecmwf.int/en/forecasts/datasets/open-data). Total precipitation is `tp`, in metres from the run's start.
"""

from __future__ import annotations

import json
from datetime import datetime

from geowarn.domain.errors import Refused
from geowarn.sources.fetch_http import shown
from geowarn.sources.fetch_runs import Piece, RunFetcher

_STREAMS = {6: "scda", 18: "scda"}


class EcmwfFetcher(RunFetcher):
    """`geowarn.ports.Fetcher` for ECMWF open data, high-resolution forecast on 0.25 degree."""

    name = "ecmwf-open-data"
    base_url = "https://data.ecmwf.int/forecasts"

    def data_url(self, base: str, run: datetime, step: int) -> str:
        """Where the file of one step is; the runs of 06 and 18 UTC have a stream of their own."""
        stream = _STREAMS.get(run.hour, "oper")
        return f"{base}/{run:%Y%m%d}/{run:%H}z/ifs/0p25/{stream}/{run:%Y%m%d%H}0000-{step}h-{stream}-fc.grib2"

    def index_url(self, data_url: str) -> str:
        """Where its index is."""
        return data_url.removesuffix(".grib2") + ".index"

    def pieces(self, index: str, url: str) -> tuple[Piece, ...]:
        """The bytes of `tp`; raises Refused naming the line."""
        found = []
        for number, line in enumerate(index.splitlines(), start=1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
                wanted = entry["param"] == "tp"
                first, length = int(entry["_offset"]), int(entry["_length"])
            except (ValueError, KeyError, TypeError):
                raise Refused("fetch.index", url=shown(url), line=number, value=line[:60]) from None
            if wanted and first >= 0 and length > 0:
                found.append(Piece(first, first + length - 1))
        return tuple(found)
