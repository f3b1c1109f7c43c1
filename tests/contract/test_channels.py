"""One suite over every registered channel, and for SMS the whole table of what a far end can answer."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from geowarn.demo.mail_standin import MailStandIn
from geowarn.domain.area import Area, AreaKind
from geowarn.domain.bulletin import Bulletin, Standing
from geowarn.domain.dispatch import Outcome
from geowarn.domain.errors import OutcomeUnknown, PermanentFailure, SendFailure, TemporaryFailure
from geowarn.domain.level import Level
from geowarn.domain.package import MARKER, OWN_LATE, filled, late_fields
from geowarn.domain.warning import Act, AreaLevel, Content, Series
from geowarn.ports import (
    BulletinDraft,
    Channel,
    ChannelContext,
    Delivery,
    PublishedBulletin,
    Receipt,
    SiteState,
    Target,
)
from geowarn.settings import load_settings
from geowarn.templating import JinjaTemplates

NOW = datetime(2026, 7, 22, 18, 33, tzinfo=UTC)
CHANNELS = sorted(point.name for point in entry_points(group="geowarn.channels"))
NUMBER = "+15005550006"
SECRET = "GEOWARN_TEST_HOOK"
LATE = {
    "number": "烟地灾预警〔2026〕12号",
    "slug": "2026-012",
    "sent": "2026-07-23T02:33:00+08:00",
    "sent.blank": "2026-07-23 02:33:00+08:00",
    "sent.digits": "20260723023300",
    "date.zh": "2026年7月23日",
    "date.en": "23 July 2026",
}
READER = "reader@example.org"
TARGETS = {"website": "public", "broadcast": "city-tv", "sms": NUMBER, "webhook": "desk", "mail": READER}
MAIL: dict[str, Any] = {"host": "127.0.0.1", "port": 9, "security": "none", "sender": "warnings@example.com"}


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


def _square(lon: float, lat: float) -> dict[str, Any]:
    ring = [[lon, lat], [lon + 0.2, lat], [lon + 0.2, lat + 0.2], [lon, lat + 0.2], [lon, lat]]
    return {"type": "Polygon", "coordinates": [ring]}


AREAS = {
    "370600": Area("370600", AreaKind.CITY, "烟台市", "Yantai", lon=121.4, lat=37.4),
    "370687": Area(
        "370687", AreaKind.COUNTY, "海阳市", "Haiyang", "370600", 121.1, 36.8, 600_000, geometry=_square(121.0, 36.7)
    ),
    "370682": Area(
        "370682", AreaKind.COUNTY, "莱阳市", "Laiyang", "370600", 120.7, 36.9, 800_000, geometry=_square(120.6, 36.8)
    ),
    "370612": Area(
        "370612", AreaKind.COUNTY, "牟平区", "Muping", "370600", 121.6, 37.3, 400_000, geometry=_square(121.5, 37.2)
    ),
}


def content_of(act: Act = Act.ISSUE, series: Series = Series.REAL) -> Content:
    areas = (
        AreaLevel("370687", Level.RED),
        AreaLevel("370682", Level.YELLOW),
        AreaLevel("370612", Level.BLUE),
    )
    return Content(
        act,
        series,
        areas,
        onset=NOW.replace(minute=0),
        expires=NOW + timedelta(hours=24),
        next_update=NOW + timedelta(hours=2),
        slots={},
        reason="test",
        source="forecast",
        synthetic=True,
    )


def facts(base_url: str, **sms: object) -> dict[str, dict[str, Any]]:
    sections = load_settings(None).sections()
    sections["installation"]["synthetic"] = True
    sections["sms"] |= {"base_url": base_url, "account_sid": "AC0", "auth_token": "x", "sender": "+15005550006"}
    sections["sms"] |= {"timeout_seconds": 0.5, **sms}
    sections["mail"] |= {"timeout_seconds": 0.5, **MAIL}
    station = {"name_zh": "电视台", "name_en": "TV", "key_sha256": "0" * 64, "live": False}
    desk: dict[str, Any] = {
        "form": "cn",
        "url": f"{base_url}/push",
        "secret_env": SECRET,
        "live": False,
        "timeout_seconds": 0.5,
    }
    desk["cn"] = {"office": "37060000000000"}
    sections["channels"] = {"enabled": CHANNELS, "stations": {"city-tv": station}, "webhooks": {"desk": desk}}
    return sections


def draft_of(settings: Mapping[str, Mapping[str, Any]], act: Act = Act.ISSUE) -> BulletinDraft:
    earlier = () if act is Act.ISSUE else (bulletin_of(content_of(), {}),)
    original = content_of() if act is Act.RETRACT else None
    return BulletinDraft(content_of(act), AREAS, {}, earlier, settings, Level.YELLOW, original, NOW)


def bulletin_of(content: Content, artefacts: Mapping[str, str]) -> Bulletin:
    return Bulletin(
        id="b-1",
        warning_id="w-1",
        proposal_id="p-1",
        series=content.series,
        year=2026,
        serial=12,
        number=LATE["number"],
        slug=LATE["slug"],
        released_at=NOW,
        content=content,
        package_sha256="0" * 64,
        late=LATE,
        artefacts=artefacts,
    )


def build(name: str, folder: Path, settings: Mapping[str, Mapping[str, Any]]) -> Channel:
    shown: list[PublishedBulletin] = []

    def state(showing: str = "") -> SiteState:
        return SiteState(1, NOW, NOW + timedelta(hours=2), tuple(shown), AREAS, None, True, None)

    (point,) = entry_points(group="geowarn.channels", name=name)
    channel: Channel = point.load()(ChannelContext(settings, folder, JinjaTemplates(), Still(), state))
    frozen = frozen_of(channel, settings)
    bulletin = bulletin_of(content_of(), {path: "0" * 64 for path in frozen})
    shown.append(PublishedBulletin(bulletin, Standing.IN_FORCE, None, frozen))
    return channel


def frozen_of(channel: Channel, settings: Mapping[str, Mapping[str, Any]], act: Act = Act.ISSUE) -> dict[str, bytes]:
    message = channel.prepare(draft_of(settings, act))
    return {a.path: a.body for a in filled(message.artefacts, LATE | {f"original.{k}": v for k, v in LATE.items()})}


def delivery_of(
    channel: Channel, settings: Mapping[str, Mapping[str, Any]], content: Content | None = None
) -> Delivery:
    files = frozen_of(channel, settings)
    bulletin = bulletin_of(content or content_of(), {path: "0" * 64 for path in files})
    return Delivery(bulletin, files, min(files))


def target_of(name: str) -> Target:
    return Target("d" * 24, "k", TARGETS.get(name, "public"), NOW + timedelta(hours=24))


class FarEnd(ThreadingHTTPServer):
    """Answers every request the same way; `answer` writes to the raw socket."""

    daemon_threads = True

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
        self.requests: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append(body.decode())
                answer(self)

            def do_GET(self) -> None:
                outer.requests.append(self.path)
                answer(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


Answering = Callable[[Callable[[BaseHTTPRequestHandler], None]], FarEnd]


@pytest.fixture(scope="module", autouse=True)
def mail_server() -> Iterator[MailStandIn]:
    """A real SMTP server on the loopback, for the whole module."""
    server = MailStandIn().start()
    MAIL["port"] = server.port
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def partner_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, "shared with the desk")


@pytest.fixture
def far_end() -> Iterator[Answering]:
    servers: list[FarEnd] = []

    def start(answer: Callable[[BaseHTTPRequestHandler], None]) -> FarEnd:
        server = FarEnd(answer)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def says(status: int, body: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body.encode())))
        handler.end_headers()
        handler.wfile.write(body.encode())

    return answer


def drops(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


ACCEPTED = says(201, json.dumps({"sid": "SM1", "status": "queued", "error_code": None}))


# --- every channel


@pytest.mark.parametrize("name", CHANNELS)
def test_limits_are_sane(name: str, tmp_path: Path) -> None:
    channel = build(name, tmp_path, facts("http://127.0.0.1:9"))
    assert channel.name == name
    assert 1 <= channel.limits.batch <= 500
    assert 1 <= channel.limits.concurrency <= 128
    assert set(channel.limits.languages) == {"zh", "en"}


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("name", CHANNELS)
def test_prepare_is_pure(name: str, act: Act, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = facts("http://127.0.0.1:9")
    channel = build(name, tmp_path, settings)
    before = sorted(tmp_path.rglob("*"))

    def no_network(*_: object) -> None:
        raise AssertionError("prepare reached for the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    first, second = channel.prepare(draft_of(settings, act)), channel.prepare(draft_of(settings, act))
    assert first == second
    assert first.problems == ()
    assert first.channel == name
    assert sorted(tmp_path.rglob("*")) == before
    assert all(artefact.path.startswith(f"{name}/") for artefact in first.artefacts)
    assert set(late_fields(first.artefacts)) <= {*OWN_LATE, *(f"original.{field}" for field in OWN_LATE)}
    measured = {measure.path.split("#")[0] for measure in first.measures}  # `file#part` for a part of a file
    assert measured <= {artefact.path for artefact in first.artefacts}


@pytest.mark.parametrize("name", CHANNELS)
def test_nothing_below_the_public_level_is_prepared(name: str, tmp_path: Path) -> None:
    settings = facts("http://127.0.0.1:9")
    for artefact in build(name, tmp_path, settings).prepare(draft_of(settings)).artefacts:
        if not artefact.media_type.startswith("image/"):
            text = artefact.body.decode()
            assert "蓝色预警" not in text, artefact.path
            assert not re.search(r"\bblue\b(?! bar)", text, re.IGNORECASE), artefact.path


@pytest.mark.parametrize("name", CHANNELS)
def test_send_answers_with_a_receipt(name: str, tmp_path: Path, far_end: Answering) -> None:
    settings = facts(far_end(ACCEPTED).address)
    channel = build(name, tmp_path, settings)
    receipt = channel.send(delivery_of(channel, settings), target_of(name))
    assert isinstance(receipt, Receipt)
    assert receipt.outcome in (Outcome.ACCEPTED, Outcome.DELIVERED)


# --- SMS texts


@pytest.mark.parametrize("act", list(Act))
def test_sms_holds_no_late_field_and_fits(act: Act, tmp_path: Path) -> None:
    settings = facts("http://127.0.0.1:9")
    message = build("sms", tmp_path, settings).prepare(draft_of(settings, act))
    assert {a.path for a in message.artefacts} == {
        f"sms/{level}.{language}.txt" for level in ("red", "yellow") for language in ("zh", "en")
    }
    for artefact, measure in zip(message.artefacts, message.measures, strict=True):
        text = artefact.body.decode()
        assert not MARKER.search(text)
        assert text.startswith("【烟台地灾预警】合成演示降雨" if ".zh." in artefact.path else "[Yantai Geohazard] ")
        assert "演示" in text or "DEMO" in text
        assert "http" not in text
        assert measure.limit is not None
        assert measure.units <= measure.limit
        assert measure.encoding == ("UCS-2" if ".zh." in artefact.path else "GSM-7")


def test_an_action_too_long_blocks_release(tmp_path: Path) -> None:
    settings = facts("http://127.0.0.1:9")
    draft = draft_of(settings)
    long = replace(draft, content=replace(draft.content, slots={"action.red.zh": "撤" * 120}))
    message = build("sms", tmp_path, settings).prepare(long)
    assert [key for key, _ in message.problems] == ["sms.too-long"]
    assert message.problems[0][1]["path"] == "sms/red.zh.txt"


# --- SMS against a far end that answers badly

TABLE: list[tuple[Callable[[BaseHTTPRequestHandler], None], type[SendFailure], str, bool]] = [
    (says(400, '{"code": 21211, "message": "The To number +15005550006 is bad"}'), PermanentFailure, "21211", False),
    (says(400, '{"code": 21614, "message": "m"}'), PermanentFailure, "21614", False),
    (says(400, '{"code": 21610, "message": "m"}'), PermanentFailure, "21610", False),
    (says(400, '{"code": 21612, "message": "m"}'), PermanentFailure, "21612", False),
    (says(400, '{"code": 21408, "message": "m"}'), PermanentFailure, "21408", True),
    (says(400, '{"code": 21617, "message": "m"}'), PermanentFailure, "21617", True),
    (says(400, '{"code": 21606, "message": "m"}'), TemporaryFailure, "21606", True),
    (says(400, '{"code": 21611, "message": "m"}'), TemporaryFailure, "21611", False),
    (says(400, '{"code": 39999, "message": "m"}'), PermanentFailure, "39999", False),
    (says(400, "<html>bad</html>"), PermanentFailure, "400", False),
    (says(400, '{"type": "t", "title": "t", "status": 400, "code": 21211}'), PermanentFailure, "21211", False),
    (says(401, '{"code": 20003, "message": "m"}'), TemporaryFailure, "20003", True),
    (says(403, ""), TemporaryFailure, "403", True),
    (says(404, "nothing here"), TemporaryFailure, "404", True),
    (says(408, ""), TemporaryFailure, "408", False),
    (says(429, '{"code": 20429, "message": "m"}'), TemporaryFailure, "20429", False),
    (says(302, ""), TemporaryFailure, "302", True),
    (says(500, '{"code": 20500, "message": "m"}'), OutcomeUnknown, "20500", False),
    (says(502, "<html>bad gateway</html>"), OutcomeUnknown, "502", False),
    (says(503, ""), OutcomeUnknown, "503", False),
    (says(504, ""), OutcomeUnknown, "504", False),
    (says(201, "<html>welcome</html>"), OutcomeUnknown, "", False),
    (says(201, ""), OutcomeUnknown, "", False),
    (says(201, "[]"), OutcomeUnknown, "", False),
    (says(201, '{"status": "queued"}'), OutcomeUnknown, "", False),
    (says(201, '{"sid": "SM1", "status": "failed", "error_code": 30005}'), PermanentFailure, "30005", False),
    (drops, OutcomeUnknown, "", False),
]


@pytest.mark.parametrize(("answer", "kind", "code", "alarm"), TABLE)
def test_what_the_far_end_answers(
    answer: Callable[[BaseHTTPRequestHandler], None],
    kind: type[SendFailure],
    code: str,
    alarm: bool,
    tmp_path: Path,
    far_end: Answering,
) -> None:
    server = far_end(answer)
    settings = facts(server.address)
    channel = build("sms", tmp_path, settings)
    with pytest.raises(SendFailure) as raised:
        channel.send(delivery_of(channel, settings), target_of("sms"))
    failure = raised.value
    assert type(failure) is kind
    assert failure.alarm is alarm
    assert code in failure.code
    assert "5550006" not in f"{failure!r} {failure.reason} {failure.code}"
    assert failure.__cause__ is None
    assert len(server.requests) == 1


def test_a_far_end_that_never_answers_leaves_the_outcome_unknown(tmp_path: Path, far_end: Answering) -> None:
    held = threading.Event()

    def silent(_: BaseHTTPRequestHandler) -> None:
        held.wait(5)

    settings = facts(far_end(silent).address, timeout_seconds=0.2)
    channel = build("sms", tmp_path, settings)
    with pytest.raises(OutcomeUnknown):
        channel.send(delivery_of(channel, settings), target_of("sms"))
    held.set()


def test_a_refused_connection_is_safe_to_try_again(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = facts(f"http://127.0.0.1:{port}")
    channel = build("sms", tmp_path, settings)
    with pytest.raises(TemporaryFailure):
        channel.send(delivery_of(channel, settings), target_of("sms"))


def test_what_is_sent_is_the_frozen_text(tmp_path: Path, far_end: Answering) -> None:
    server = far_end(ACCEPTED)
    settings = facts(server.address)
    channel = build("sms", tmp_path, settings)
    delivery = delivery_of(channel, settings)
    receipt = channel.send(delivery, target_of("sms"))
    assert receipt.provider_id == "SM1"
    form = {name: values[0] for name, values in parse_qs(server.requests[0]).items()}
    assert form == {
        "To": NUMBER,
        "From": "+15005550006",
        "Body": delivery.artefacts[delivery.variant].decode(),
        "StatusCallback": f"http://127.0.0.1:8765/hooks/twilio/status?dispatch={'d' * 24}",
        "ValidityPeriod": "36000",
    }


def test_validity_ends_with_the_warning(tmp_path: Path, far_end: Answering) -> None:
    server = far_end(ACCEPTED)
    settings = facts(server.address, sender="MG" + "0" * 32)
    channel = build("sms", tmp_path, settings)
    channel.send(delivery_of(channel, settings), replace(target_of("sms"), not_after=NOW + timedelta(seconds=90.5)))
    assert "ValidityPeriod=90" in server.requests[0]
    assert "MessagingServiceSid=MG" in server.requests[0]
    assert "From=" not in server.requests[0]


@pytest.mark.parametrize("series", [Series.EXERCISE, Series.REAL])
def test_what_is_not_real_never_reaches_a_real_provider(series: Series, tmp_path: Path) -> None:
    """House rule 10: `series` exercise, or synthetic content of a real series."""
    for address in ("", "https://api.example.invalid", "http://127.0.0.1.example.invalid"):
        settings = facts(address)
        settings["installation"]["synthetic"] = False
        channel = build("sms", tmp_path, settings)
        unreal = replace(content_of(series=series), synthetic=series is Series.REAL)
        with pytest.raises(PermanentFailure) as raised:
            channel.send(delivery_of(channel, settings, unreal), target_of("sms"))
        assert raised.value.reason == "sms.exercise-refused"


def test_without_an_account_nothing_leaves(tmp_path: Path) -> None:
    settings = facts("http://127.0.0.1:9", account_sid="")
    channel = build("sms", tmp_path, settings)
    with pytest.raises(TemporaryFailure) as raised:
        channel.send(delivery_of(channel, settings), target_of("sms"))
    assert raised.value.alarm


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_with_live_settings_refuses_an_exercise_by_itself(
    name: str, tmp_path: Path, far_end: Answering, mail_server: MailStandIn
) -> None:
    """House rule 10, the third place alone: nothing stands before `send`, and every target is live."""
    server, mails = far_end(ACCEPTED), len(mail_server.mails)
    settings = facts(server.address)
    settings["installation"]["synthetic"] = False
    settings["channels"]["stations"]["city-tv"]["live"] = True
    settings["channels"]["webhooks"]["desk"]["live"] = True
    channel = build(name, tmp_path, settings)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    exercise = replace(content_of(series=Series.EXERCISE), synthetic=False)
    delivery = delivery_of(channel, settings, exercise)
    with pytest.raises(PermanentFailure):
        channel.send(delivery, target_of(name))
    assert server.requests == []
    assert len(mail_server.mails) == mails
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_exercise_leaves_by_its_own_account(tmp_path: Path, far_end: Answering) -> None:
    server = far_end(ACCEPTED)
    settings = facts("https://api.example.invalid")
    settings["installation"]["synthetic"] = False
    settings["exercise"] |= {
        "sms_base_url": server.address, "sms_account_sid": "AC1", "sms_auth_token": "y", "sms_sender": "+15005550009"
    }  # fmt: skip
    channel = build("sms", tmp_path, settings)
    exercise = content_of(series=Series.EXERCISE)
    assert channel.send(delivery_of(channel, settings, exercise), target_of("sms")).outcome is Outcome.ACCEPTED
    assert "From=%2B15005550009" in server.requests[0]
