"""The SMS channel against the stand-in as a process of its own, over the real SDK."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from twilio.request_validator import RequestValidator

from geowarn.demo.standin import ACCOUNT, LOOPBACK_KEY
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import Outcome
from geowarn.domain.errors import OutcomeUnknown, PermanentFailure, SendFailure, TemporaryFailure
from geowarn.domain.level import Level
from geowarn.domain.warning import Act, AreaLevel, Content, Series
from geowarn.ports import ChannelContext, Delivery, SiteState, Target
from geowarn.settings import load_settings
from geowarn.templating import JinjaTemplates
from geowarn_channels.sms import SmsChannel

TEXT = "【烟台地灾预警】合成演示降雨（非真实预报）。红色预警：海阳市。"


@dataclass(frozen=True)
class Running:
    """The stand-in's address and its state file."""

    address: str
    state: Path

    def per_number(self) -> Counter[str]:
        lines = self.state.read_text("utf-8").splitlines()
        return Counter(json.loads(line)["to"] for line in lines)


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    state = tmp_path_factory.mktemp("standin") / "messages.jsonl"
    command = [sys.executable, "-m", "geowarn.demo.standin", "--state", str(state), "--stop-with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Running(process.stdout.readline().strip(), state)


class Now:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def no_state(showing: str = "") -> SiteState:
    raise AssertionError("SMS needs no public state")


def channel_to(address: str, public_url: str = "http://127.0.0.1:9", **sms: object) -> SmsChannel:
    sections = load_settings(None).sections()
    sections["site"]["public_url"] = public_url
    sections["sms"] |= {"base_url": address, "account_sid": ACCOUNT, "auth_token": LOOPBACK_KEY}
    sections["sms"] |= {"sender": "+15005550006", "timeout_seconds": 1.0, **sms}
    return SmsChannel(ChannelContext(sections, Path(), JinjaTemplates(), Now(), no_state))


def delivery(text: str = TEXT) -> Delivery:
    now = datetime.now(UTC)
    areas = (AreaLevel("370687", Level.RED),)
    end = now + timedelta(hours=1)
    content = Content(Act.ISSUE, Series.REAL, areas, now, end, end, {}, "", "", synthetic=True)
    late: dict[str, str] = {}
    bulletin = Bulletin("b", "w", "p", Series.REAL, 2026, 1, "n", "2026-001", now, content, "0", late, {})
    return Delivery(bulletin, {"sms/red.zh.txt": text.encode()}, "sms/red.zh.txt")


def target(number: str, dispatch: str = "d1") -> Target:
    return Target(dispatch, "k", number, datetime.now(UTC) + timedelta(hours=1))


def test_sent_once_and_found_again(standin: Running) -> None:
    channel, since = channel_to(standin.address), datetime.now(UTC)
    number = "+12025550101"
    assert channel.look_up(delivery(), target(number), since) is None
    receipt = channel.send(delivery(), target(number))
    assert receipt.outcome is Outcome.ACCEPTED
    found = channel.look_up(delivery(), target(number), since)
    assert found is not None
    assert found.provider_id == receipt.provider_id
    assert channel.look_up(delivery("another text"), target(number), since) is None
    assert standin.per_number()[number] == 1


@pytest.mark.parametrize(
    ("number", "kind", "accepted"),
    [
        ("+15005550001", PermanentFailure, 0),
        ("+15005550004", PermanentFailure, 0),
        ("+15005550010", OutcomeUnknown, 1),
        ("+15005550011", OutcomeUnknown, 1),
        ("+15005550012", TemporaryFailure, 0),
        ("+15005550013", OutcomeUnknown, 1),
        ("+15005550014", OutcomeUnknown, 0),
    ],
)
def test_faults_by_number(standin: Running, number: str, kind: type[SendFailure], accepted: int) -> None:
    """Where the answer was lost, asking tells whether the message is there: exactly what decides about a repeat."""
    channel, since = channel_to(standin.address), datetime.now(UTC)
    with pytest.raises(kind):
        channel.send(delivery(), target(number))
    assert standin.per_number()[number] == accepted
    found = channel.look_up(delivery(), target(number), since)
    assert (found is not None) == bool(accepted)


def test_a_wrong_key_is_told_to_an_operator(standin: Running) -> None:
    with pytest.raises(TemporaryFailure) as raised:
        channel_to(standin.address, auth_token="wrong").send(delivery(), target("+12025550102"))
    assert raised.value.alarm
    assert raised.value.code == "20003"


def test_status_callbacks_are_signed_and_in_order(standin: Running) -> None:
    heard: list[tuple[str, dict[str, str], str]] = []
    final = threading.Event()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode(), True))
            heard.append((self.path, form, self.headers["X-Twilio-Signature"]))
            self.send_response(204)
            self.end_headers()
            if form["MessageStatus"] in ("delivered", "undelivered"):
                final.set()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as hook:
        threading.Thread(target=hook.serve_forever, args=(0.05,), daemon=True).start()
        public = f"http://127.0.0.1:{hook.server_address[1]}"
        channel = channel_to(standin.address, public)
        receipt = channel.send(delivery(), target("+12025550103", "abc"))
        assert final.wait(10)
        hook.shutdown()
    assert [form["MessageStatus"] for _, form, _ in heard] == ["sent", "delivered"]
    for path, form, signature in heard:
        assert path == "/hooks/twilio/status?dispatch=abc"
        assert form["MessageSid"] == receipt.provider_id
        assert RequestValidator(LOOPBACK_KEY).validate(public + path, form, signature)


def test_many_at_once_from_many_threads(standin: Running) -> None:
    channel = channel_to(standin.address, workers=16, timeout_seconds=20.0)
    numbers = [f"+1303555{index:04d}" for index in range(800)]
    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(lambda number: channel.send(delivery(), target(number)), numbers))
    assert len({receipt.provider_id for receipt in receipts}) == len(numbers)
    counted = standin.per_number()
    assert {counted[number] for number in numbers} == {1}


def test_a_released_text_leaves_byte_for_byte(standin: Running) -> None:
    text = "[Yantai Geohazard] ^{}\\~|€ & = + % 雨𠀀"
    channel_to(standin.address).send(replace(delivery(text)), target("+12025550104"))
    bodies = [json.loads(line) for line in standin.state.read_text("utf-8").splitlines()]
    assert [m["body"] for m in bodies if m["to"] == "+12025550104"] == [text]
