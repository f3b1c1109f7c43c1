"""Sources over HTTP against a far end that misbehaves on purpose (bug 15, house rules 8 and 18)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tests.unit.far_end import FarEnd, answer, far_end, file

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.settings_table import SettingsTable
from geowarn.ports import Errand, Fetcher, Haul
from geowarn.sources.fetch_ecmwf import EcmwfFetcher
from geowarn.sources.fetch_gfs import GfsFetcher
from geowarn.sources.fetch_http import Absent, HttpClient, limits_of
from geowarn.sources.fetch_url import OpenMeteoFetcher, UrlFetcher
from geowarn.sources.fetch_wires import Wires

NOW = datetime(2026, 7, 23, 9, 40, tzinfo=UTC)
LONG_AGO = format_datetime(NOW - timedelta(hours=2))
SECONDS = {"connect_seconds": 5, "read_seconds": 5, "transfer_seconds": 20, "total_seconds": 60}


class Waits:
    """Time that passes only while something waits."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.told_to_stop = False

    def stopped(self, seconds: float) -> bool:
        if seconds:
            self.slept.append(seconds)
        return self.told_to_stop

    def ticking(self) -> float:
        return sum(self.slept)


@pytest.fixture
def far() -> Iterator[FarEnd]:
    with far_end() as served:
        yield served


@pytest.fixture
def waits() -> Waits:
    return Waits()


def table(**values: Any) -> SettingsTable:
    return SettingsTable("sources.toml", "x.parameters", values)


def client(waits: Waits, **values: Any) -> HttpClient:
    limits = limits_of(table(**{**SECONDS, **values}))
    return HttpClient(limits, waits.stopped, ticking=waits.ticking, chance=lambda: 0.5)


def refused_key(refusal: pytest.ExceptionInfo[Refused], *words: str) -> str:
    for language in ("zh", "en"):
        said = explain(refusal.value, language)
        assert all(word in said for word in words), said
    return refusal.value.key


# --- one answer ----------------------------------------------------------------------------------------------------


def test_a_plain_file_and_its_part(far: FarEnd, waits: Waits) -> None:
    url = far.on("/f", file(b"0123456789", ETag='"1"'))
    with client(waits) as http:
        assert http.get(url).body == b"0123456789"
        assert http.get(url, first=2, last=4).body == b"234"
        assert http.get(url, first=7).body == b"789"
    assert far.asked[1][1]["range"] == "bytes=2-4"
    assert far.asked[0][1]["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "wrong",
    [
        answer(200, b"0123456789"),
        answer(206, b"234"),
        answer(206, b"345", Content_Range="bytes 3-5/10"),
        answer(206, b"23", Content_Range="bytes 2-3/10"),
        answer(206, b"23", Content_Range="bytes 2-4/10"),
        answer(206, b"234", Content_Range="bytes 2-4"),
    ],
)
def test_anything_but_the_part_asked_for_is_refused(far: FarEnd, waits: Waits, wrong: Any) -> None:
    url = far.on("/f", wrong)
    with client(waits) as http, pytest.raises(Refused) as refused:
        http.get(url, first=2, last=4)
    assert refused_key(refused, "2-4", url) == "fetch.range"


def test_a_truncated_answer_is_asked_for_again(far: FarEnd, waits: Waits) -> None:
    url = far.on("/f", answer(200, b"01234", Content_Length="10"), file(b"0123456789"))
    with client(waits) as http:
        assert http.get(url).body == b"0123456789"
    assert waits.slept == [0.75]
    always = far.on("/g", answer(200, b"01234", Content_Length="10"))
    with client(waits, total_seconds=5) as http, pytest.raises(Refused) as refused:
        http.get(always)
    assert refused_key(refused, always) == "fetch.unreachable"
    assert 2 <= far.count("/g") <= 5


def test_a_slow_drip_does_not_outlast_the_deadline(far: FarEnd) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not far.released.wait(0.05):
            handler.wfile.write(b".")

    url = far.on("/f", drip)
    limits = limits_of(table(**{**SECONDS, "transfer_seconds": 1, "total_seconds": 2}))
    with HttpClient(limits, Event().wait) as http, pytest.raises(Refused) as refused:
        http.get(url)  # ends by itself: byte by byte it would take more than an hour
    assert refused_key(refused, "too slow") == "fetch.unreachable"


@pytest.mark.parametrize("begun", [b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nX-Slow: "])
def test_headers_that_drip_do_not_outlast_the_deadline(far: FarEnd, begun: bytes) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(begun)
        while not far.released.wait(0.05):
            handler.wfile.write(b"0")

    url = far.on("/f", drip)
    limits = limits_of(table(**{**SECONDS, "transfer_seconds": 1, "total_seconds": 2}))
    with HttpClient(limits, Event().wait) as http, pytest.raises(Refused) as refused:
        http.get(url)  # each byte comes well within the time for a read
    assert refused_key(refused, "too slow") == "fetch.unreachable"


def test_a_connection_that_is_opened_after_the_deadline_is_cut_too() -> None:
    """As after a slow redirect: nobody would look at it any more."""
    wires = Wires()
    (near, far_side), (next_near, next_far) = socket.socketpair(), socket.socketpair()
    with near, far_side, next_near, next_far:
        near.settimeout(10)
        with wires.cut_after(0) as late:
            assert late.wait(10)
            wires.add(near)
            assert near.recv(1) == b""
        with wires.cut_after(60) as late:
            wires.add(next_near)
            next_far.sendall(b"x")
            assert (next_near.recv(1), late.is_set()) == (b"x", False)
        wires.close()


def test_what_was_cut_can_be_asked_again(far: FarEnd) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not far.released.wait(0.05):
            handler.wfile.write(b"0")

    url = far.on("/f", drip, file(b"0123456789"))
    limits = limits_of(table(**{**SECONDS, "transfer_seconds": 1}))
    with HttpClient(limits, Event().wait) as http:
        assert http.get(url).body == b"0123456789"


def test_a_far_end_that_says_nothing(far: FarEnd) -> None:
    def nothing(_: BaseHTTPRequestHandler) -> None:
        far.released.wait()

    url = far.on("/f", nothing)
    limits = limits_of(table(**{**SECONDS, "read_seconds": 0.2, "total_seconds": 1}))
    with HttpClient(limits, Event().wait) as http, pytest.raises(Refused) as refused:
        http.get(url)
    assert refused_key(refused, url) == "fetch.unreachable"


def test_told_to_stop_it_gives_up(far: FarEnd, waits: Waits) -> None:
    waits.told_to_stop = True
    for act in (answer(503, b""), file(b"x" * 200_000)):
        with client(waits) as http, pytest.raises(Refused) as refused:
            http.get(far.on("/f", act))
        assert refused_key(refused, "/f") == "fetch.stopped"
    assert far.count("/f") == 2


def test_nobody_there(waits: Waits) -> None:
    with far_end() as gone:
        url = gone.base + "/f"
    with client(waits) as http, pytest.raises(Refused) as refused:
        http.get(url)
    assert refused_key(refused, url) == "fetch.unreachable"
    assert sum(waits.slept) < 60
    assert len(waits.slept) > 3


def test_a_busy_far_end_is_left_alone_as_long_as_it_asks(far: FarEnd, waits: Waits) -> None:
    url = far.on("/f", answer(503, b"", Retry_After="7"), answer(429, b""), file(b"x"))
    with client(waits) as http:
        assert http.get(url).body == b"x"
    assert waits.slept == [7.0, 1.5]
    far.on("/f", answer(503, b"", Retry_After="3600"))
    with client(waits) as http, pytest.raises(Refused) as refused:
        http.get(url)
    assert refused_key(refused, "HTTP 503") == "fetch.unreachable"
    assert waits.slept == [7.0, 1.5]  # an hour is past the deadline: it does not even begin to wait


def test_a_page_instead_of_data(far: FarEnd, waits: Waits) -> None:
    for page in (
        answer(200, b"rain", Content_Type="text/html; charset=utf-8"),
        answer(200, b"\n <!DOCTYPE html><title>Log in</title>"),
        answer(200, b"<HTML>"),
    ):
        url = far.on("/f", page)
        with client(waits) as http, pytest.raises(Refused) as refused:
            http.get(url)
        assert refused_key(refused, url) == "fetch.page"
    assert waits.slept == []


def test_what_the_far_end_says_of_an_error_is_passed_on(far: FarEnd, waits: Waits) -> None:
    url = far.on("/f", answer(400, b'{"error":true,"reason":"Latitude must be in range"}'))
    with client(waits) as http, pytest.raises(Refused) as refused:
        http.get(url, query={"apikey": "secret"})
    assert refused_key(refused, "Latitude must be in range", "400") == "fetch.status"
    assert "secret" not in explain(refused.value, "en")
    with client(waits) as http, pytest.raises(Absent):
        http.get(far.base + "/nothing")


def test_redirects_stay_on_the_host(far: FarEnd, waits: Waits) -> None:
    far.on("/new", file(b"here"))
    url = far.on("/old", answer(302, b"", Location="/new"))
    with client(waits) as http:
        assert http.get(url).body == b"here"
    with far_end() as other:
        other.on("/f", file(b"there"))
        far.on("/old", answer(301, b"", Location=other.base + "/f"))
        with client(waits) as http, pytest.raises(Refused) as refused:
            http.get(url)
        assert other.asked == []
    assert refused_key(refused, url) == "fetch.redirect"
    far.on("/old", answer(302, b"", Location="/old"))
    with client(waits) as http, pytest.raises(Refused) as refused:
        http.get(url)
    assert refused.value.key == "fetch.redirect"


def test_an_answer_without_end_or_larger_than_allowed(far: FarEnd, waits: Waits) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not far.released.is_set():
            handler.wfile.write(b"x" * 65536)

    for act in (endless, answer(200, b"", Content_Length=str(10**12))):
        url = far.on("/f", act)
        with client(waits, most_mebibytes=1) as http, pytest.raises(Refused) as refused:
            http.get(url)
        assert refused_key(refused, url, "1 MiB") == "fetch.too-large"


def test_a_packed_answer_is_not_unpacked(far: FarEnd, waits: Waits) -> None:
    url = far.on("/f", answer(200, b"\x1f\x8b", Content_Encoding="gzip"))
    with client(waits) as http, pytest.raises(Refused) as refused:
        http.get(url)
    assert refused_key(refused, "gzip") == "fetch.encoded"


def test_a_chunked_answer_is_read_whole(far: FarEnd, waits: Waits) -> None:
    def chunked(body: bytes) -> Any:
        def act(handler: BaseHTTPRequestHandler) -> None:
            handler.protocol_version = "HTTP/1.1"
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            handler.wfile.write(body)
            handler.close_connection = True

        return act

    url = far.on("/f", chunked(b"3\r\nabc\r\n2\r\nde"), chunked(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"))
    with client(waits) as http:
        assert http.get(url).body == b"abcde"
    assert far.count("/f") == 2  # the first one broke off


def test_the_environments_proxy_is_not_used(far: FarEnd, waits: Waits, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    url = far.on("/f", file(b"x"))
    with client(waits) as http:
        assert http.get(url).body == b"x"
    with client(waits, proxy=far.base) as http, pytest.raises(Absent):
        http.get("http://127.0.0.1:9/through")  # the one configured is
    assert far.asked[-1][0] == "/through"


# --- runs ----------------------------------------------------------------------------------------------------------


def message(text: bytes) -> bytes:
    """A GRIB 2 message as far as its frame goes."""
    length = 16 + len(text) + 4
    return b"GRIB\0\0\0\x02" + length.to_bytes(8, "big") + text + b"7777"


def errand(folder: Path, known: dict[str, str] | None = None, now: datetime = NOW, **values: Any) -> Errand:
    place = folder / f"errand-{len(list(folder.iterdir()))}"
    place.mkdir()
    return Errand(table(**{**SECONDS, **values}), place, now, known or {}, Event().wait)


class Ecmwf(EcmwfFetcher):
    """Waits without waiting."""

    def client(self, errand: Errand) -> HttpClient:
        waits = Waits()
        return HttpClient(limits_of(errand.parameters), waits.stopped, ticking=waits.ticking)


class Gfs(GfsFetcher):
    """Waits without waiting."""

    client = Ecmwf.client


def lay_out_ecmwf(far: FarEnd, run: str, steps: list[int], changed: str = LONG_AGO, etag: str = '"a"') -> None:
    date, hour = run[:8], run[8:]
    for step in steps:
        tp, other = message(f"{run} {step}".encode()), message(b"2t")
        lines = [
            {"param": "2t", "_offset": 0, "_length": len(other)},
            {"param": "tp", "_offset": len(other), "_length": len(tp)},
        ]
        path = f"/{date}/{hour}z/ifs/0p25/oper/{date}{hour}0000-{step}h-oper-fc"
        index = "\n".join(json.dumps(line) for line in lines).encode()
        far.on(f"{path}.index", answer(200, index, Last_Modified=changed))
        far.on(f"{path}.grib2", file(other + tp + message(b"10u"), ETag=etag))


def ecmwf(far: FarEnd, tmp_path: Path, known: dict[str, str] | None = None, now: datetime = NOW) -> Haul:
    return Ecmwf().fetch(errand(tmp_path, known, now, base_url=far.base, cycles=[0, 12], steps=[3, 6]))


def test_of_a_whole_run_only_the_rain_is_fetched(far: FarEnd, tmp_path: Path) -> None:
    lay_out_ecmwf(far, "2026072300", [3, 6, 9])
    haul = ecmwf(far, tmp_path)
    assert [one.name for one in haul.files] == [f"ecmwf-open-data-2026072300-{step:03d}.grib2" for step in (3, 6)]
    assert [one.read_bytes() for one in haul.files] == [message(b"2026072300 3"), message(b"2026072300 6")]
    assert (haul.known, haul.waits_for) == ({"run": "2026072300"}, ())
    again = ecmwf(far, tmp_path, dict(haul.known))
    assert (again.files, again.waits_for) == ((), ())


def test_a_late_step_is_named_and_the_run_before_is_used_meanwhile(far: FarEnd, tmp_path: Path) -> None:
    lay_out_ecmwf(far, "2026072300", [3])
    lay_out_ecmwf(far, "2026072212", [3, 6])
    haul = ecmwf(far, tmp_path)
    assert (haul.newer, haul.waits_for) == ("2026072300", ("6 h",))
    assert haul.known == {"run": "2026072212"}
    assert len(haul.files) == 2
    waiting = ecmwf(far, tmp_path, dict(haul.known))
    assert (waiting.files, waiting.newer, waiting.waits_for) == ((), "2026072300", ("6 h",))
    lay_out_ecmwf(far, "2026072300", [3, 6])
    assert ecmwf(far, tmp_path, dict(haul.known)).known == {"run": "2026072300"}


def test_a_file_changed_just_now_is_left_to_settle(far: FarEnd, tmp_path: Path) -> None:
    lay_out_ecmwf(far, "2026072300", [3, 6], changed=format_datetime(NOW - timedelta(minutes=9)))
    assert ecmwf(far, tmp_path).waits_for == ("3 h", "6 h")
    assert len(ecmwf(far, tmp_path, now=NOW + timedelta(minutes=2)).files) == 2


def test_a_whole_file_for_a_part_or_a_shifted_part_stops_the_run(far: FarEnd, tmp_path: Path) -> None:
    lay_out_ecmwf(far, "2026072300", [3, 6])
    data = "/20260723/00z/ifs/0p25/oper/20260723000000-6h-oper-fc.grib2"
    far.on(data, answer(200, message(b"all")))
    with pytest.raises(Refused) as refused:
        ecmwf(far, tmp_path)
    assert refused_key(refused, data) == "fetch.range"
    far.on(data, file(b"x" + message(b"2t") + message(b"2026072300 6") + b"more"))
    with pytest.raises(Refused) as refused:
        ecmwf(far, tmp_path)
    assert refused_key(refused, data) == "fetch.not-grib"


@pytest.mark.parametrize("index", [b"{", b"[]", b'{"param": "tp"}', b'{"param": "tp", "_offset": "x", "_length": 1}'])
def test_a_broken_index_is_named_with_its_line(far: FarEnd, tmp_path: Path, index: bytes) -> None:
    lay_out_ecmwf(far, "2026072300", [3, 6])
    path = "/20260723/00z/ifs/0p25/oper/20260723000000-3h-oper-fc.index"
    far.on(path, answer(200, b"\n" + index))
    with pytest.raises(Refused) as refused:
        ecmwf(far, tmp_path)
    assert refused_key(refused, path, "2") == "fetch.index"
    far.on(path, answer(200, b'{"param": "2t", "_offset": 0, "_length": 5}'))
    with pytest.raises(Refused) as refused:
        ecmwf(far, tmp_path)
    assert refused_key(refused, path) == "fetch.no-rain"


def lay_out_gfs(far: FarEnd, step: int, etags: tuple[str, ...] = ('"a"',)) -> str:
    parts = [message(b"TMP"), message(b"bucket %d" % step), message(b"WIND"), message(b"total %d" % step)]
    starts = [sum(len(one) for one in parts[:place]) for place in range(len(parts))]
    names = ["TMP:2 m above ground:6 hour fcst", "APCP:surface:0-6 hour acc fcst", "WIND:10 m:6 hour fcst"]
    rows = [*names, "APCP:surface:0-1 day acc fcst"]
    index = "".join(
        f"{n}:{start}:d=2026072306:{row}:\n" for n, (start, row) in enumerate(zip(starts, rows, strict=True), start=1)
    ).encode()
    path = f"/gfs.20260723/06/atmos/gfs.t06z.pgrb2.0p25.f{step:03d}"
    far.on(f"{path}.idx", answer(200, index, Last_Modified=LONG_AGO))
    far.on(path, *(file(b"".join(parts), ETag=etag) for etag in etags))
    return path


def gfs(far: FarEnd, tmp_path: Path) -> Haul:
    return Gfs().fetch(errand(tmp_path, base_url=far.base, cycles=[0, 6, 12, 18], steps=[6, 12]))


def test_gfs_both_totals_are_fetched_and_the_last_message_to_the_files_end(far: FarEnd, tmp_path: Path) -> None:
    for step in (6, 12):
        lay_out_gfs(far, step)
    haul = gfs(far, tmp_path)
    assert haul.known == {"run": "2026072306"}
    assert haul.files[1].read_bytes() == message(b"bucket 12") + message(b"total 12")
    assert far.asked[-1][1]["range"].endswith("-")


def test_two_parts_of_two_files_are_no_run(far: FarEnd, tmp_path: Path) -> None:
    lay_out_gfs(far, 6)
    lay_out_gfs(far, 12, etags=('"a"', '"b"'))
    assert gfs(far, tmp_path).waits_for == ("12 h",)


@pytest.mark.parametrize("index", [b"1:0:d=x", b"1:zero:d:APCP:surface:x", b"1:9:d:A:s:x:\n2:3:d:APCP:s:x:"])
def test_gfs_a_broken_index_is_refused(far: FarEnd, tmp_path: Path, index: bytes) -> None:
    path = lay_out_gfs(far, 6)
    far.on(f"{path}.idx", answer(200, index))
    with pytest.raises(Refused) as refused:
        gfs(far, tmp_path)
    assert refused_key(refused, f"{path}.idx") == "fetch.index"


# --- one address ---------------------------------------------------------------------------------------------------


def url_haul(far: FarEnd, tmp_path: Path, known: dict[str, str] | None = None, **values: Any) -> Haul:
    return UrlFetcher().fetch(errand(tmp_path, known, url=far.base + "/rain.csv", **values))


def test_a_file_is_fetched_again_only_when_it_changed(far: FarEnd, tmp_path: Path) -> None:
    far.on("/rain.csv", file(b"one", ETag='"1"', Last_Modified=LONG_AGO))
    first = url_haul(far, tmp_path)
    assert first.files[0].read_bytes() == b"one"
    assert first.files[0].name == "rain.csv"
    far.on("/rain.csv", answer(304, b"", ETag='"1"'))
    assert url_haul(far, tmp_path, dict(first.known)).files == ()
    assert far.asked[-1][1]["if-none-match"] == '"1"'
    assert far.asked[-1][1]["if-modified-since"] == LONG_AGO


def test_unchanged_of_another_file_is_not_believed(far: FarEnd, tmp_path: Path) -> None:
    known = {"ETag": '"1"', "run": "rain.csv"}
    far.on("/rain.csv", answer(304, b"", ETag='"2"'), file(b"two", ETag='"2"'))
    assert url_haul(far, tmp_path, known).files[0].read_bytes() == b"two"
    far.on("/rain.csv", answer(304, b""))
    with pytest.raises(Refused) as refused:
        url_haul(far, tmp_path)  # nothing was known, so nothing can be unchanged
    assert refused_key(refused, "304") == "fetch.status"


def test_a_file_that_is_not_there_or_not_settled(far: FarEnd, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        url_haul(far, tmp_path)
    assert refused_key(refused, "/rain.csv") == "fetch.absent"
    far.on("/rain.csv", file(b"one", Last_Modified=format_datetime(NOW)))
    assert url_haul(far, tmp_path, settle_minutes=5).waits_for == ("rain.csv",)


def test_open_meteo_is_asked_for_the_places_and_once_a_run(far: FarEnd, tmp_path: Path) -> None:
    base, meta = far.on("/v1/forecast", answer(200, b"{}")), far.base + "/meta.json"
    places: dict[str, Any] = {
        "latitudes": [37.5, 37],
        "longitudes": [120.5, 121],
        "base_url": base,
        "model": "cma_grapes_global",
    }
    places["hours"] = 48
    fetcher: Fetcher = OpenMeteoFetcher()
    assert fetcher.fetch(errand(tmp_path, **places)).files[0].read_bytes() == b"{}"
    run = datetime(2026, 7, 23, 0, tzinfo=UTC)
    available = NOW - timedelta(minutes=4)
    facts = {"last_run_initialisation_time": int(run.timestamp())}
    facts["last_run_availability_time"] = int(available.timestamp())
    far.on("/meta.json", answer(200, json.dumps(facts).encode()))
    assert fetcher.fetch(errand(tmp_path, meta_url=meta, **places)).waits_for
    settled = fetcher.fetch(errand(tmp_path, meta_url=meta, now=NOW + timedelta(minutes=7), **places))
    assert settled.known == {"run": "2026072300"}
    assert far.queries[-1]["start_hour"] == "2026-07-23T01:00"  # the first hour ends then: the run's time is true
    assert far.queries[-1]["end_hour"] == "2026-07-25T00:00"
    asked = far.count("/v1/forecast")
    assert fetcher.fetch(errand(tmp_path, dict(settled.known), meta_url=meta, **places)).files == ()
    assert far.count("/v1/forecast") == asked
    far.on("/meta.json", answer(200, b"[]"))
    with pytest.raises(Refused) as refused:
        fetcher.fetch(errand(tmp_path, meta_url=meta, **places))
    assert refused_key(refused, "/meta.json") == "fetch.index"


def test_places_must_pair() -> None:
    with pytest.raises(Refused) as refused:
        OpenMeteoFetcher().check(table(latitudes=[1.0, 2.0], longitudes=[3.0]))
    assert refused_key(refused, "longitudes") == "plan.value"
