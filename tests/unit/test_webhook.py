"""Partners get the frozen files of their form, signed, once however often they are sent; a live one nothing unreal."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from tests.conftest import FakeClock

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import Outcome
from geowarn.domain.errors import PermanentFailure, Refused, SendFailure, TemporaryFailure
from geowarn.domain.level import Level
from geowarn.domain.package import filled
from geowarn.domain.warning import Act, Series
from geowarn.ports import ChannelContext, Delivery, Target
from geowarn.templating import JinjaTemplates
from geowarn_channels.webhook import WebhookChannel
from geowarn_channels.website import WebsiteChannel

NOW = datetime(2026, 7, 22, 18, 33, tzinfo=UTC)
LATE = {
    "number": "烟地灾预警〔2026〕12号",
    "slug": "2026-012",
    "sent": "2026-07-23T02:33:00+08:00",
    "sent.blank": "2026-07-23 02:33:00+08:00",
    "sent.digits": "20260723023300",
    "date.zh": "2026年7月23日",
    "date.en": "23 July 2026",
}
SECRET = "shared with the partner"
OFFICE = "37060000000000"


@dataclass
class Partner:
    """A far end on loopback that keeps what it gets; `status` is what it answers next."""

    status: int = 202
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer: Callable[[BaseHTTPRequestHandler], None] | None = None
    server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                if outer.answer is not None:
                    outer.answer(self)
                    return
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                if outer.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/push"


@pytest.fixture
def partner(monkeypatch: pytest.MonkeyPatch) -> Iterator[Partner]:
    monkeypatch.setenv("GEOWARN_TEST_HOOK", SECRET)
    made = Partner()
    yield made
    made.server.shutdown()
    made.server.server_close()


@dataclass
class Bench:
    """The webhook channel and the website's, as they stand beside each other in an installation."""

    drafts: Any
    folder: Path
    hooks: dict[str, dict[str, Any]]
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    synthetic: bool = False

    def context(self) -> ChannelContext:
        facts = {**self.drafts.facts, "channels": {"enabled": [], "stations": {}, "webhooks": self.hooks}}
        facts["installation"] = {**facts["installation"], "synthetic": self.synthetic}
        return ChannelContext(facts, self.folder, JinjaTemplates(), self.clock, lambda showing="": None)  # type: ignore[arg-type]

    @property
    def channel(self) -> WebhookChannel:
        return WebhookChannel(self.context())

    def delivery(self, act: Act = Act.ISSUE, earlier: tuple[Bulletin, ...] = (), **changes: Any) -> Delivery:
        content = self.drafts.content({"370687": Level.RED, "370682": Level.YELLOW, "370612": Level.BLUE}, act)
        draft = self.drafts.draft(content, earlier)
        own, site = self.channel.prepare(draft), WebsiteChannel(self.context()).prepare(draft)
        assert own.problems == ()
        carried = [a for a in site.artefacts if a.path.startswith(self.channel.limits.carries)]
        files = {a.path: a.body for a in filled([*own.artefacts, *carried], LATE)}
        bulletin = replace(self.drafts.released(content, 12), late=LATE, slug=LATE["slug"])
        return Delivery(replace(bulletin, content=replace(content, **changes)), files, min(files))

    def send(self, name: str, delivery: Delivery | None = None) -> str:
        target = Target("d" * 24, name, name, NOW + timedelta(hours=9))
        receipt = self.channel.send(delivery or self.delivery(), target)
        assert receipt.outcome is Outcome.ACCEPTED
        return receipt.detail


def hook(form: str, url: str, **more: Any) -> dict[str, Any]:
    return {"form": form, "url": url, "secret_env": "GEOWARN_TEST_HOOK", "live": False, "timeout_seconds": 0.5} | more


def test_every_request_is_signed_over_time_and_body(drafts: Any, tmp_path: Path, partner: Partner) -> None:
    bench = Bench(drafts, tmp_path, {"city-site": hook("json", partner.url)})
    bench.send("city-site")
    ((headers, body),) = partner.got
    moment, digest = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers["x-geowarn-signature"]).groups()  # type: ignore[union-attr]
    assert int(moment) == int(NOW.timestamp())
    assert hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest() == digest
    document = json.loads(body)
    assert document["number"] == LATE["number"]
    assert [level["level"] for level in document["levels"]] == ["red", "yellow"]
    assert document["cap"] == [f"http://127.0.0.1:8765/cap/geowarn-2026-012-{level}.xml" for level in ("red", "yellow")]
    assert "牟平" not in body.decode()


def test_the_cap_form_carries_the_very_bytes_of_the_website(drafts: Any, tmp_path: Path, partner: Partner) -> None:
    bench = Bench(drafts, tmp_path, {"hub": hook("cap", partner.url)})
    delivery = bench.delivery()
    bench.send("hub", delivery)
    caps = [body for path, body in sorted(delivery.artefacts.items()) if path.startswith("website/cap/")]
    assert [body for _, body in partner.got] == caps
    assert {headers["content-type"] for headers, _ in partner.got} == {"application/cap+xml"}


def test_the_same_file_again_bears_the_same_key(drafts: Any, tmp_path: Path, partner: Partner) -> None:
    bench = Bench(drafts, tmp_path, {"hub": hook("cap", partner.url)})
    bench.send("hub")
    first = [headers["idempotency-key"] for headers, _ in partner.got]
    partner.got.clear()
    partner.status = 409  # the partner has it already
    bench.send("hub")
    assert [headers["idempotency-key"] for headers, _ in partner.got] == first
    assert len(set(first)) == 2


STATUSES: list[tuple[int, type[SendFailure], bool]] = [
    (302, TemporaryFailure, True),
    (400, PermanentFailure, False),
    (401, TemporaryFailure, True),
    (403, TemporaryFailure, True),
    (404, TemporaryFailure, True),
    (408, TemporaryFailure, False),
    (413, PermanentFailure, False),
    (422, PermanentFailure, False),
    (429, TemporaryFailure, False),
    (500, TemporaryFailure, False),
    (503, TemporaryFailure, False),
]


@pytest.mark.parametrize(("status", "kind", "alarm"), STATUSES)
def test_what_a_partner_answers(
    drafts: Any, tmp_path: Path, partner: Partner, status: int, kind: type[SendFailure], alarm: bool
) -> None:
    partner.status = status
    bench = Bench(drafts, tmp_path, {"city-site": hook("json", partner.url)})
    with pytest.raises(SendFailure) as raised:
        bench.send("city-site")
    assert type(raised.value) is kind
    assert raised.value.alarm is alarm
    assert SECRET not in f"{raised.value!r} {raised.value.reason} {raised.value.code}"
    assert len(partner.got) == 1  # a redirect is never followed


def test_a_partner_that_hangs_or_is_gone_is_tried_again(drafts: Any, tmp_path: Path, partner: Partner) -> None:
    held = threading.Event()

    def hang(_: BaseHTTPRequestHandler) -> None:
        held.wait(5)

    partner.answer = hang
    bench = Bench(drafts, tmp_path, {"city-site": hook("json", partner.url, timeout_seconds=0.2)})
    with pytest.raises(TemporaryFailure, match="no-answer"):
        bench.send("city-site")
    held.set()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    bench = Bench(drafts, tmp_path, {"city-site": hook("json", f"http://127.0.0.1:{port}/")})
    with pytest.raises(TemporaryFailure, match="no-answer"):
        bench.send("city-site")


@pytest.mark.parametrize("changes", [{"series": Series.EXERCISE}, {"synthetic": True}, {}])
def test_nothing_unreal_reaches_a_live_partner(
    drafts: Any, tmp_path: Path, partner: Partner, changes: dict[str, Any]
) -> None:
    bench = Bench(drafts, tmp_path, {"city-site": hook("json", partner.url, live=True)}, synthetic=not changes)
    with pytest.raises(PermanentFailure, match="live-partner"):
        bench.send("city-site", bench.delivery(**changes))
    assert partner.got == []


# --- the 12379 form


def desk(folder: Path, **cn: Any) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    return {"form": "cn", "folder": str(folder), "live": False, "cn": {"office": OFFICE, **cn}}


def test_a_desk_gets_whole_files_named_as_desks_name_them(drafts: Any, tmp_path: Path) -> None:
    out = tmp_path / "drop"
    bench = Bench(drafts, tmp_path, {"desk-12379": desk(out, area_codes={"370682": "370682999999"})})
    bench.send("desk-12379")
    bench.send("desk-12379")  # again: the same two files
    assert sorted(path.name for path in out.iterdir()) == [
        f"{OFFICE}_20260723023300_0_11D01_RED_Alert.xml",
        f"{OFFICE}_20260723023300_2_11D01_YELLOW_Alert.xml",
    ]
    red = etree.parse(out / f"{OFFICE}_20260723023300_0_11D01_RED_Alert.xml").getroot()
    assert [child.tag for child in red] == [
        "identifier", "sender", "senderCode", "sendTime", "status", "msgType", "scope", "code", "secClassification",
        "note", "references", "info",
    ]  # fmt: skip
    assert red.findtext("sendTime") == "2026-07-23 02:33:00+08:00"
    assert red.findtext("info/onset") == "2026-07-23 02:00:00+08:00"
    assert red.findtext("info/severity") == "Red"
    assert red.findtext("info/area/geocode") == "370687000000"
    assert (red.findtext("info/headline") or "").endswith("发布地质灾害气象风险红色预警[I级/特别严重]")
    assert red.nsmap == {}
    yellow = etree.parse(out / f"{OFFICE}_20260723023300_2_11D01_YELLOW_Alert.xml").getroot()
    assert yellow.findtext("info/area/geocode") == "370682999999"


def test_an_update_and_an_end_refer_to_the_first_file_of_their_level(drafts: Any, tmp_path: Path) -> None:
    bench = Bench(drafts, tmp_path, {"desk-12379": desk(tmp_path / "drop")})
    first = drafts.released(drafts.content({"370687": Level.RED, "370682": Level.YELLOW}), 1)
    for act, kind in ((Act.UPDATE, "Update"), (Act.LIFT, "Cancel")):
        files = bench.delivery(act, (first,)).artefacts
        red = etree.fromstring(files["webhook/desk-12379/red.xml"])
        assert red.findtext("msgType") == kind
        assert red.findtext("references") == f"{OFFICE}_20260723020100_0"


def test_a_folder_that_is_not_there_is_an_alarm_and_tried_again(drafts: Any, tmp_path: Path) -> None:
    bench = Bench(drafts, tmp_path, {"desk-12379": desk(tmp_path / "drop")})
    (tmp_path / "drop").rmdir()
    with pytest.raises(TemporaryFailure, match="no-folder") as raised:
        bench.send("desk-12379")
    assert raised.value.alarm


# --- the feeds' hub


def test_a_hub_is_told_only_when_the_tree_shows_the_bulletin(drafts: Any, tmp_path: Path, partner: Partner) -> None:
    bench = Bench(drafts, tmp_path, {"hub": hook("websub", partner.url)})
    with pytest.raises(TemporaryFailure, match="not-published-yet"):
        bench.send("hub")
    assert partner.got == []
    page = tmp_path / "public" / "w" / LATE["slug"] / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>", "utf-8")
    (tmp_path / "public" / "current.json").write_text("{}", "utf-8")
    bench.send("hub")
    ((headers, body),) = partner.got
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert body.decode().split("&") == [
        "hub.mode=publish",
        *(
            f"hub.url=http://127.0.0.1:8765/feeds/{feed}"
            for feed in ("warnings.rss", "warnings.atom", "cap.rss", "cap.atom")
        ),
    ]


# --- settings


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        (hook("xml", "https://example.invalid/"), "form"),
        (hook("json", "http://example.invalid/"), "url"),
        (hook("json", "https://user:word@example.invalid/"), "url"),
        (hook("json", "ftp://127.0.0.1/"), "url"),
        (hook("json", ""), "url"),
        (hook("json", "https://example.invalid/", folder="/drop"), "url"),
        (hook("json", "https://example.invalid/", secret_env="GEOWARN_NOT_SET"), "secret_env"),
        (hook("json", "https://example.invalid/", live="yes"), "live"),
        ({"form": "cn", "folder": "drop", "live": False, "cn": {"office": OFFICE}}, "folder"),
        ({"form": "cn", "folder": "/drop", "live": False, "cn": {"office": "3706"}}, "cn.office"),
    ],
)  # fmt: skip
def test_a_partner_set_wrongly_stops_the_start_and_names_the_key(
    drafts: Any, tmp_path: Path, partner: Partner, entry: dict[str, Any], key: str
) -> None:
    with pytest.raises(Refused) as raised:
        _ = Bench(drafts, tmp_path, {"city-site": entry}).channel
    assert raised.value.facts["key"] == f"webhooks.city-site.{key}"
    assert "word" not in str(raised.value)
