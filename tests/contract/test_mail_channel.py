"""Mail against a real SMTP server on the loopback: what arrives, letter by letter, and every answer it can give."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.contract.test_channels import (
    LATE,
    NOW,
    READER,
    build,
    bulletin_of,
    content_of,
    delivery_of,
    draft_of,
    facts,
    frozen_of,
    target_of,
)

from geowarn.demo.mail_standin import MailStandIn, Script
from geowarn.domain.dispatch import Outcome
from geowarn.domain.errors import OutcomeUnknown, PermanentFailure, Refused, SendFailure, TemporaryFailure
from geowarn.domain.level import Level
from geowarn.domain.package import MARKER
from geowarn.domain.warning import Act, AreaLevel, Series
from geowarn.ports import Channel, Delivery, Letter
from geowarn_channels import mail_wire
from geowarn_channels.mail_form import Sender, Sheet, whole
from geowarn_channels.mail_wire import Server, Wire

Serving = Callable[..., MailStandIn]
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def serving() -> Iterator[Serving]:
    servers: list[MailStandIn] = []

    def start(script: Script | None = None, **more: Any) -> MailStandIn:
        servers.append(MailStandIn(script=script, **more).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def settings_for(server: MailStandIn, **mail: object) -> dict[str, dict[str, Any]]:
    sections = facts(NOWHERE)
    sections["mail"] |= {"port": server.port, **mail}
    sections["site"]["public_url"] = "https://warnings.example.com"
    return sections


def red(channel: Channel, settings: dict[str, dict[str, Any]], language: str = "zh", **content: Any) -> Delivery:
    made = delivery_of(channel, settings, replace(content_of(), **content))
    return replace(made, variant=f"mail/red.{language}.txt")


def parsed(mail: bytes) -> EmailMessage:
    found = message_from_bytes(mail, policy=policy.default)
    assert isinstance(found, EmailMessage)
    assert found.defects == []
    return found


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_arrives_is_the_frozen_text_and_page_with_what_machines_look_for(
    language: str, tmp_path: Path, serving: Serving
) -> None:
    server = serving()
    settings = settings_for(server, reply_to="duty@example.com", bounces_to="bounces@example.com")
    channel = build("mail", tmp_path, settings)
    delivery = red(channel, settings, language)
    receipt = channel.send(delivery, replace(target_of("mail"), leave="m-1.abc"))
    assert (receipt.outcome, receipt.detail) == (Outcome.ACCEPTED, "250 2.0.0")
    (taken,) = server.mails
    assert (taken.sender, taken.to) == ("bounces@example.com", READER)
    lines = [line for line in taken.body.split(b"\r\n") if not line.startswith(b"List-Unsubscribe: ")]
    assert max(map(len, lines)) <= 78  # an address is never folded
    assert taken.body.isascii()
    mail = parsed(taken.body)
    text = delivery.artefacts[delivery.variant].decode()
    subject, _, rest = text.partition("\n\n")
    assert mail["Subject"] == subject
    assert part(mail, "plain") == rest
    assert part(mail, "html") == delivery.artefacts[f"mail/red.{language}.html"].decode().rstrip("\n") + "\n"
    assert mail["To"] == READER
    assert mail["From"].addresses[0].addr_spec == "warnings@example.com"
    assert mail["Reply-To"] == "duty@example.com"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"] == receipt.provider_id == f"<{'d' * 24}@example.com>"
    assert str(mail["List-Id"]).endswith("<warnings.example.com>")
    start = "" if language == "zh" else "en/"
    assert mail["List-Unsubscribe"] == f"<https://warnings.example.com/{start}subscribe-end?token=m-1.abc>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (mail["Auto-Submitted"], mail["Precedence"]) == ("auto-generated", "bulk")
    assert mail["Importance"] == "high"


def test_a_target_without_an_end_of_its_own_gets_no_way_to_unsubscribe(tmp_path: Path, serving: Serving) -> None:
    server = serving()
    settings = settings_for(server)
    settings["channels"]["mailboxes"] = {"newsroom": {"address": "desk@example.org"}}
    channel = build("mail", tmp_path, settings)
    channel.send(red(channel, settings), replace(target_of("mail"), address="newsroom"))
    mail = parsed(server.mails[0].body)
    assert mail["To"] == "desk@example.org"
    assert mail["List-Unsubscribe"] is None
    with pytest.raises(PermanentFailure, match="unknown-mailbox"):
        channel.send(red(channel, settings), replace(target_of("mail"), address="gone"))


@pytest.mark.parametrize("act", list(Act))
def test_every_act_has_its_texts_with_no_minute_in_them(act: Act, tmp_path: Path, serving: Serving) -> None:
    settings = settings_for(serving())
    message = build("mail", tmp_path, settings).prepare(draft_of(settings, act))
    names = [f"mail/{level}.{language}" for level in ("red", "yellow") for language in ("zh", "en")]
    assert {a.path for a in message.artefacts} == {f"{name}{end}" for name in names for end in (".txt", ".html")}
    for artefact in message.artefacts:
        text = artefact.body.decode()
        assert set(MARKER.findall(text)) == {"number", "slug"}
        assert ("合成演示降雨" if ".zh." in artefact.path else "SYNTHETIC DEMO RAINFALL") in text
        assert "12379" in text
        assert "subscribe-change" in text
    texts = {a.path: a.body.decode() for a in message.artefacts}
    said = {
        Act.ISSUE: "发布", Act.UPDATE: "更新", Act.EXTEND: "延长至", Act.LIFT: "解除", Act.CANCEL: "取消",
        Act.RETRACT: "撤回",
    }  # fmt: skip
    assert said[act] in texts["mail/red.zh.txt"].partition("\n")[0]
    assert ("下次更新" in texts["mail/red.zh.txt"]) is (act in (Act.ISSUE, Act.UPDATE, Act.EXTEND))
    for path, text in texts.items():
        if path.endswith(".txt"):  # the page says every sentence of the text
            page = texts[path.replace(".txt", ".html")]
            lines = [line for line in text.splitlines() if len(line) > 20 and "http" not in line]
            lines = [line for line in lines if not line.startswith(("级别", "Level"))]  # put otherwise there
            assert lines
            assert [line for line in lines if line.split("：")[-1].split(": ")[-1] not in page] == []


def test_whoever_is_let_go_gets_a_text_of_their_own(tmp_path: Path, serving: Serving) -> None:
    settings = settings_for(serving())
    draft = draft_of(settings, Act.UPDATE)
    content = replace(draft.content, areas=(AreaLevel("370682", Level.YELLOW),))
    message = build("mail", tmp_path, settings).prepare(replace(draft, content=content))
    texts = {a.path: a.body.decode() for a in message.artefacts}
    assert "海阳市不再列入" in texts["mail/ended.zh.txt"].partition("\n")[0]
    assert "No longer under warning: Haiyang" in texts["mail/ended.en.html"]
    assert "\n级别：" not in texts["mail/ended.zh.txt"]


# --- a far end that answers badly

TABLE: list[tuple[str, str, type[SendFailure], str, str, bool]] = [
    ("greeting", "421 4.3.2 not now", TemporaryFailure, "mail.busy", "421", False),
    ("greeting", "554 5.7.1 go away", TemporaryFailure, "mail.turned-away", "554", True),
    ("greeting", "hello", TemporaryFailure, "mail.not-a-server", "-1", True),
    ("greeting", "", TemporaryFailure, "mail.no-connection", "", False),
    ("mail", "421 4.3.2 closing", TemporaryFailure, "mail.no-connection", "closed", False),
    ("mail", "451 4.7.1 later", TemporaryFailure, "mail.busy", "451 4.7.1", False),
    ("mail", "530 5.7.0 log in", TemporaryFailure, "mail.credentials", "530 5.7.0", True),
    ("mail", "550 5.7.1 not from you", TemporaryFailure, "mail.sender-refused", "550 5.7.1", True),
    ("mail", "", TemporaryFailure, "mail.no-connection", "", False),
    ("rcpt", "450 4.2.0 greylisted", TemporaryFailure, "mail.busy", "450 4.2.0", False),
    ("rcpt", "452 4.2.2 full", TemporaryFailure, "mail.busy", "452 4.2.2", False),
    ("rcpt", f"550 5.1.1 <{READER}> unknown", PermanentFailure, "mail.no-such-mailbox", "550 5.1.1", False),
    ("rcpt", "553 no", PermanentFailure, "mail.no-such-mailbox", "553", False),
    ("rcpt", "550 5.7.1 relaying denied", TemporaryFailure, "mail.sender-refused", "550 5.7.1", True),
    ("rcpt", "554 5.7.27 no policy for you", TemporaryFailure, "mail.sender-refused", "554 5.7.27", True),
    ("rcpt", "553 5.1.7 sender malformed", TemporaryFailure, "mail.sender-refused", "553 5.1.7", True),
    ("rcpt", "550 5.1.8 sender's domain unknown", TemporaryFailure, "mail.sender-refused", "550 5.1.8", True),
    ("rcpt", "550 5.1.10 no such recipient", PermanentFailure, "mail.no-such-mailbox", "550 5.1.10", False),
    ("rcpt", "", TemporaryFailure, "mail.no-connection", "", False),
    ("data", "451 4.3.0 no", TemporaryFailure, "mail.busy", "451 4.3.0", False),
    ("data", "554 5.5.1 no", PermanentFailure, "mail.refused", "554 5.5.1", False),
    ("data", "250 what", TemporaryFailure, "mail.not-a-server", "250", True),
    ("data", "", TemporaryFailure, "mail.no-connection", "", False),
    ("content", "452 4.3.1 no room", TemporaryFailure, "mail.busy", "452 4.3.1", False),
    ("content", f"554 5.7.1 {READER} thinks it is spam", PermanentFailure, "mail.refused", "554 5.7.1", False),
    ("content", "552 5.3.4 too big", PermanentFailure, "mail.refused", "552 5.3.4", False),
    ("content", "", OutcomeUnknown, "mail.no-answer", "", False),
    ("content", "what", OutcomeUnknown, "mail.no-answer", "", False),
    ("content", "999 what", OutcomeUnknown, "mail.no-answer", "", False),
]


@pytest.mark.parametrize(("step", "answer", "kind", "reason", "code", "alarm"), TABLE)
def test_what_the_far_end_answers(
    step: str,
    answer: str,
    kind: type[SendFailure],
    reason: str,
    code: str,
    alarm: bool,
    tmp_path: Path,
    serving: Serving,
) -> None:
    server = serving(lambda now, _: answer if now == step else None)
    settings = settings_for(server)
    channel = build("mail", tmp_path, settings)
    with pytest.raises(SendFailure) as raised:
        channel.send(red(channel, settings), target_of("mail"))
    failure = raised.value
    assert (type(failure), failure.reason, failure.alarm) == (kind, reason, alarm)
    assert code in failure.code
    assert READER.partition("@")[0] not in f"{failure!r} {failure.reason} {failure.code}"
    assert failure.__cause__ is None
    assert server.mails == []


@pytest.mark.parametrize(("step", "kind"), [("rcpt", TemporaryFailure), ("content", OutcomeUnknown)])
def test_a_far_end_that_falls_silent_ends_by_itself(
    step: str, kind: type[SendFailure], tmp_path: Path, serving: Serving
) -> None:
    held = threading.Event()

    def silent(now: str, _: str) -> str | None:
        return "" if now == step and held.wait(2) else None

    settings = settings_for(serving(silent), timeout_seconds=0.1)
    channel = build("mail", tmp_path, settings)
    with pytest.raises(kind):
        channel.send(red(channel, settings), target_of("mail"))
    held.set()


def test_a_far_end_whose_answer_has_no_end_ends_by_itself() -> None:
    """Every read stays within its time-out; only the call as a whole does not."""
    stop, ended = threading.Event(), []

    def drip(listener: socket.socket) -> None:
        calling, _ = listener.accept()
        with calling, suppress(OSError):
            while not stop.wait(0.03):
                calling.sendall(b"220-\r\n")

    def carry(wire: Wire) -> None:
        with pytest.raises(TemporaryFailure, match=r"mail\.no-connection") as raised:
            wire.carry("a@example.com", READER, b"")
        ended.append(raised.value)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire = Wire(Server("127.0.0.1", listener.getsockname()[1], "none", "", "", "", 0.1, "example.com"))
        far, near = threading.Thread(target=drip, args=(listener,)), threading.Thread(target=carry, args=(wire,))
        far.start()
        near.start()
        near.join(5)
        by_itself = len(ended)
        stop.set()
        far.join()
        near.join()
    assert by_itself == 1


def test_a_connection_is_kept_for_the_next_mail_and_one_that_was_closed_loses_nothing(
    tmp_path: Path, serving: Serving
) -> None:
    greetings: list[str] = []
    mails: list[str] = []

    def script(step: str, rest: str) -> str | None:
        if step == "greeting":
            greetings.append(rest)
        if step == "mail":
            mails.append(rest)
            return "" if len(mails) == 3 else None  # closed while it lay idle
        return None

    server = serving(script)
    settings = settings_for(server)
    channel = build("mail", tmp_path, settings)
    for number in range(4):
        channel.send(red(channel, settings), replace(target_of("mail"), dispatch_id=f"{number:024d}"))
    assert len(server.mails) == 4
    assert len(greetings) == 2


def test_nobody_waits_for_the_answer_to_a_good_bye(
    tmp_path: Path, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    server = serving(lambda step, _: said.append(step))
    settings = settings_for(server)
    channel = build("mail", tmp_path, settings)
    monkeypatch.setattr(mail_wire, "IDLE_SECONDS", -1.0)  # left alone for too long, however quick this is
    for number in range(2):
        channel.send(red(channel, settings), replace(target_of("mail"), dispatch_id=f"{number:024d}"))
    assert (said.count("greeting"), said.count("quit")) == (2, 0)
    held, answered = threading.Event(), []

    def slow(step: str, _: str) -> None:
        if step == "quit":
            answered.append(held.wait(10))

    server.script = slow
    monkeypatch.setattr(mail_wire, "MOST_MAILS", 1)
    monkeypatch.setattr(mail_wire, "GOODBYE_SECONDS", 0.05)
    channel.send(red(channel, settings), target_of("mail"))
    assert answered == []
    held.set()
    assert len(server.mails) == 3


# --- encryption and log-in


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("certificate") / "localhost.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file


def encrypting(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_mail_leaves_encrypted_and_logged_in(tmp_path: Path, serving: Serving, certificate: Path) -> None:
    server = serving(accounts={"geowarn": "secret"}, context=encrypting(certificate))
    login = {"host": "localhost", "security": "starttls", "user": "geowarn", "password": "secret"}
    settings = settings_for(server, **login, ca_file=str(certificate))
    channel = build("mail", tmp_path, settings)
    channel.send(red(channel, settings), target_of("mail"))
    assert [(mail.user, mail.encrypted) for mail in server.mails] == [("geowarn", True)]
    wrong = settings_for(server, **{**login, "password": "other"}, ca_file=str(certificate))
    with pytest.raises(TemporaryFailure, match=r"mail\.credentials") as raised:
        build("mail", tmp_path, wrong).send(red(channel, wrong), target_of("mail"))
    assert raised.value.alarm
    stranger = settings_for(server, **login)  # a certificate that nobody vouches for
    with pytest.raises(TemporaryFailure, match=r"mail\.certificate"):
        build("mail", tmp_path, stranger).send(red(channel, stranger), target_of("mail"))
    assert len(server.mails) == 1


def test_a_file_of_authorities_that_holds_none_or_is_gone_is_never_in_doubt(tmp_path: Path, serving: Serving) -> None:
    """Nothing was handed over: the mail waits, and a person is told."""
    file = tmp_path / "authorities.pem"
    file.write_text("no certificate", "utf-8")
    settings = settings_for(serving(), security="starttls", ca_file=str(file))
    channel = build("mail", tmp_path, settings)
    for _ in range(2):
        with pytest.raises(TemporaryFailure, match=r"mail\.certificate") as raised:
            channel.send(red(channel, settings), target_of("mail"))
        assert raised.value.alarm
        file.unlink(missing_ok=True)
    nowhere = settings_for(serving(), security="tls", host="smtp..example.com")
    with pytest.raises(TemporaryFailure, match=r"mail\.no-connection"):
        build("mail", tmp_path, nowhere).probe()  # type: ignore[attr-defined]


def test_a_server_that_does_not_encrypt_gets_neither_password_nor_mail(tmp_path: Path, serving: Serving) -> None:
    said: list[str] = []

    def listening(step: str, _: str) -> None:
        said.append(step)

    server = serving(listening, accounts={"geowarn": "secret"})
    settings = settings_for(server, security="starttls", user="geowarn", password="secret")
    channel = build("mail", tmp_path, settings)
    with pytest.raises(TemporaryFailure, match=r"mail\.no-tls"):
        channel.send(red(channel, settings), target_of("mail"))
    assert "auth" not in said
    assert server.mails == []


WRONG = [
    ({"host": ""}, "mail.host"),
    ({"sender": ""}, "mail.sender"),
    ({"host": "smtp.example.com"}, "mail.security"),  # `none` leaves this machine
    ({"user": "geowarn"}, "mail.password"),
    ({"ca_file": "/nowhere.pem"}, "mail.ca_file"),
    ({"user": "值班", "password": "secret"}, "mail.user"),
    ({"user": "geowarn", "password": "密码"}, "mail.password"),
]


@pytest.mark.parametrize(("mail", "named"), WRONG)
def test_a_setting_that_mail_cannot_leave_with_is_named(mail: dict[str, Any], named: str, tmp_path: Path) -> None:
    sections = facts(NOWHERE)
    sections["mail"] |= mail
    with pytest.raises(Refused) as raised:
        build("mail", tmp_path, sections)
    assert f"{raised.value.facts['section']}.{raised.value.facts['key']}" == named
    assert "密码" not in str(raised.value)


# --- what is not real


@pytest.mark.parametrize("series", [Series.EXERCISE, Series.REAL])
def test_what_is_not_real_never_leaves_by_a_real_account(series: Series, tmp_path: Path) -> None:
    """House rule 10: `series` exercise, or synthetic content of a real series."""
    sections = facts(NOWHERE)
    sections["mail"] |= {"host": "smtp.example.invalid", "security": "tls"}
    sections["installation"]["synthetic"] = False
    channel = build("mail", tmp_path, sections)
    with pytest.raises(PermanentFailure, match="exercise-refused"):
        channel.send(red(channel, sections, series=series, synthetic=series is Series.REAL), target_of("mail"))


def test_an_exercise_leaves_by_its_own_account_and_says_so(tmp_path: Path, serving: Serving) -> None:
    real, own = serving(), serving()
    settings = settings_for(real)
    settings["exercise"] |= {
        "mail_host": "127.0.0.1", "mail_port": own.port, "mail_security": "none", "mail_sender": "drill@example.com"
    }  # fmt: skip
    channel = build("mail", tmp_path, settings)
    made = content_of(series=Series.EXERCISE)
    message = channel.prepare(replace(draft_of(settings), content=made))
    assert [
        a.path for a in message.artefacts if not any(w in a.body.decode() for w in ("【演练】", "[EXERCISE]"))
    ] == []
    channel.send(red(channel, settings, series=Series.EXERCISE), target_of("mail"))
    assert real.mails == []
    mail = parsed(own.mails[0].body)
    assert mail["From"].addresses[0].addr_spec == "drill@example.com"
    assert mail["From"].addresses[0].display_name.startswith("【演练】")
    settings["exercise"]["mail_sender"] = "warnings@example.com"  # the sender of real ones
    with pytest.raises(PermanentFailure, match="exercise-refused"):
        build("mail", tmp_path, settings).send(red(channel, settings, series=Series.EXERCISE), target_of("mail"))


# --- the form


def test_a_letter_is_no_list_mail_and_a_repeat_is_the_same_bytes(tmp_path: Path, serving: Serving) -> None:
    server = serving()
    settings = settings_for(server)
    channel: Any = build("mail", tmp_path, settings)
    letter = Letter("l-1", READER, "zh", "请确认", "打开\nhttps://x.example/subscribe-confirm?token=t\n", "<p>", NOW)
    assert channel.postman.carry(letter).outcome is Outcome.ACCEPTED
    assert channel.postman.carry(letter).provider_id == "<l-1@example.com>"
    assert server.mails[0].body == server.mails[1].body
    mail = parsed(server.mails[0].body)
    assert (mail["List-Id"], mail["Precedence"], mail["List-Unsubscribe"]) == (None, None, None)
    assert part(mail, "plain") == letter.text
    sections = settings_for(server, host="smtp.example.invalid", security="tls")
    elsewhere: Any = build("mail", tmp_path, sections)
    with pytest.raises(PermanentFailure, match="exercise-refused"):
        elsewhere.postman.carry(letter)


def test_no_text_can_add_a_header_or_end_the_mail() -> None:
    sheet = Sheet("k", READER, "zh", "一\r\nBcc: other@example.org", ".\r\n..\r\n", "<p>.</p>\n.\n", NOW)
    mail = parsed(whole(Sender("a@b.example", {"zh": '名"称\r\nX: y', "en": "n"}), sheet))
    assert mail["Bcc"] is None
    assert mail["X"] is None
    assert part(mail, "plain") == ".\n..\n"
    assert b"\r\n." not in whole(Sender("a@b.example", {"zh": "n", "en": "n"}), sheet)


def test_the_text_names_number_and_page_of_its_release(tmp_path: Path, serving: Serving) -> None:
    settings = settings_for(serving())
    channel = build("mail", tmp_path, settings)
    files = frozen_of(channel, settings)
    assert LATE["number"] in files["mail/red.zh.txt"].decode()
    assert "https://warnings.example.com/en/w/2026-012/" in files["mail/red.en.html"].decode()
    assert bulletin_of(content_of(), dict.fromkeys(files, "0")).slug == "2026-012"
