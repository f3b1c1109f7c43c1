"""One file at one address, and an Open-Meteo query: asked again only whether it has changed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from geowarn.domain.errors import Refused
from geowarn.domain.settings_table import SettingsTable
from geowarn.ports import Errand, Haul
from geowarn.sources.fetch_http import HTTP_KEYS, Absent, Answer, HttpClient, limits_of, shown
from geowarn.sources.fetch_runs import settled

_CONDITIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}


class UrlFetcher:
    """`geowarn.ports.Fetcher` for a file that is replaced in place."""

    name = "url"

    def check(self, parameters: SettingsTable) -> None:
        """Raise Refused naming the parameter that is wrong."""
        parameters.refuse_unknown(("url", "settle_minutes", *HTTP_KEYS))
        self._url(parameters)
        parameters.whole("settle_minutes", 0, 120, 0)
        limits_of(parameters)

    def _url(self, parameters: SettingsTable) -> str:
        return parameters.text("url", None, r"https?://[^\s/?#@]+(/[^\s#]*)?", "http(s)://host/path?query")

    def fetch(self, errand: Errand) -> Haul:
        """The file, where it has changed since the last errand; raises Refused."""
        url = self._url(errand.parameters)
        before = errand.now - timedelta(minutes=errand.parameters.whole("settle_minutes", 0, 120, 0))
        with HttpClient(limits_of(errand.parameters), errand.stopped) as client:
            answer = _changed(client, url, errand.known)
        if answer is None:
            return Haul()
        name = PurePosixPath(urlsplit(url).path).name or "payload"
        if not settled(answer, before):
            return Haul(waits_for=(name,), newer=name)
        file = errand.folder / name
        file.write_bytes(answer.body)
        known = {key: answer.headers[key] for key in _CONDITIONS if key in answer.headers}
        return Haul((file,), {**known, "run": name})


def _changed(client: HttpClient, url: str, known: Mapping[str, str]) -> Answer | None:
    """The answer, None where the far end says that nothing changed and names the very file we have."""
    conditions = {header: known[key] for key, header in _CONDITIONS.items() if key in known}
    try:
        answer = client.get(url, validators=conditions)
        if answer.status == 304 and (
            not conditions or answer.headers.get("ETag", known.get("ETag")) != known.get("ETag")
        ):
            answer = client.get(url)
    except Absent:
        raise Refused("fetch.absent", url=shown(url)) from None
    if answer.status == 304:
        if not conditions:
            raise Refused("fetch.status", url=shown(url), status=304, reason="-")
        return None
    return answer


class OpenMeteoFetcher:
    """`geowarn.ports.Fetcher` for the Open-Meteo forecast API (https://open-meteo.com/en/docs), hourly precipitation.

    An answer holds no run time, and the reader takes its first hour for one. With `meta_url` it is asked once a run,
    for the hours from the run's time on, and `settle_minutes` after the run became available, as its servers are
    eventually consistent. Without it the answer begins with today 00:00 UTC: rather too old than too young.
    """

    name = "openmeteo"
    base_url = "https://api.open-meteo.com/v1/forecast"

    def check(self, parameters: SettingsTable) -> None:
        """Raise Refused naming the parameter that is wrong."""
        own = ("base_url", "meta_url", "latitudes", "longitudes", "model", "hours", "settle_minutes")
        parameters.refuse_unknown((*own, *HTTP_KEYS))
        self._query(parameters)
        parameters.url("base_url", self.base_url)
        parameters.url("meta_url", "")
        parameters.whole("settle_minutes", 0, 120, 10)
        limits_of(parameters)

    def _query(self, parameters: SettingsTable) -> dict[str, str]:
        lats, lons = parameters.numbers("latitudes", -90, 90), parameters.numbers("longitudes", -180, 180)
        if len(lats) != len(lons):
            raise parameters.bad("longitudes", f"{len(lats)} x [-180 … 180]")
        model = parameters.text("model", "", r"[a-z0-9_]{0,60}", "a-z 0-9 _")
        parameters.whole("hours", 1, 336, 72)
        query = {
            "latitude": ",".join(f"{lat:g}" for lat in lats),
            "longitude": ",".join(f"{lon:g}" for lon in lons),
            "hourly": "precipitation",
            "timeformat": "unixtime",
            "timezone": "UTC",
        }
        return query | ({"models": model} if model else {})

    def _hours(self, parameters: SettingsTable, run: datetime | None) -> dict[str, str]:
        """Which hours to ask for; each is labelled by its end."""
        hours = parameters.whole("hours", 1, 336, 72)
        if run is None:
            return {"forecast_days": str(min(math.ceil(hours / 24) + 1, 16))}
        first, last = run + timedelta(hours=1), run + timedelta(hours=hours)
        return {"start_hour": f"{first:%Y-%m-%dT%H:%M}", "end_hour": f"{last:%Y-%m-%dT%H:%M}"}

    def fetch(self, errand: Errand) -> Haul:
        """The present answer, where a newer run stands behind it; raises Refused."""
        parameters = errand.parameters
        with HttpClient(limits_of(parameters), errand.stopped) as client:
            run = self._run(client, parameters)
            label = f"{run[0]:%Y%m%d%H}" if run else f"{errand.now:%Y%m%d%H%M}"
            if run is not None and label <= errand.known.get("run", ""):
                return Haul()
            wait = timedelta(minutes=parameters.whole("settle_minutes", 0, 120, 10))
            if run is not None and run[1] > errand.now - wait:
                return Haul(waits_for=((run[1] + wait).isoformat(),), newer=label)
            url = parameters.url("base_url", self.base_url)
            query = self._query(parameters) | self._hours(parameters, run[0] if run else None)
            try:
                answer = client.get(url, query=query)
            except Absent:
                raise Refused("fetch.absent", url=shown(url)) from None
        file = errand.folder / f"open-meteo-{label}.json"
        file.write_bytes(answer.body)
        return Haul((file,), {"run": label})

    def _run(self, client: HttpClient, parameters: SettingsTable) -> tuple[datetime, datetime] | None:
        """The newest run's time and since when it is available, None where there is nobody to ask."""
        url = parameters.url("meta_url", "")
        if not url:
            return None
        try:
            table = json.loads(client.get(url).body)
            begun, available = (
                datetime.fromtimestamp(int(table[key]), UTC)
                for key in ("last_run_initialisation_time", "last_run_availability_time")
            )
        except Absent:
            raise Refused("fetch.absent", url=shown(url)) from None
        except (ValueError, KeyError, TypeError, OverflowError, OSError):
            raise Refused("fetch.index", url=shown(url), line=1, value="last_run_…") from None
        return begun, available
