"""Signed CAP: any verifier accepts it, any change breaks it, and without the signature it is as signed off."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from tests.conftest import FakeClock
from tests.programs import program

from geowarn.cap_key import make_cap_key
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.package import Artefact, fill, unsealed
from geowarn.domain.warning import Act
from geowarn.ports import ChannelContext
from geowarn_channels.cap import cap_messages
from geowarn_channels.cap_rules import SAMPLE
from geowarn_channels.cap_schema import schema_faults
from geowarn_channels.cap_signature import (
    CERTIFICATE,
    KEY,
    CapSigner,
    load_signer,
    published_certificates,
    verified_by,
)
from geowarn_channels.website import WebsiteChannel

NOW = datetime(2026, 7, 22, 18, tzinfo=UTC)
XMLSEC_REQUIRED = "GEOWARN_REQUIRE_XMLSEC"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    make_cap_key(folder, "geohazard@example.invalid", NOW)
    return folder


def messages(drafts: Any, act: Act = Act.ISSUE) -> list[bytes]:
    """Filled messages of two levels, text beyond the basic plane included."""
    first = drafts.content({"370687": Level.RED, "370682": Level.YELLOW})
    earlier = () if act is Act.ISSUE else (drafts.released(first, 1),)
    slots = {"action.red.zh": "立即撤离 𠮷 & <山>", "action.red.en": "Leave now & go < up"}
    made = drafts.draft(drafts.content({"370687": Level.RED}, act, slots=slots), earlier)
    return [fill(body, SAMPLE) for body in cap_messages(made, drafts.templates).values()]


def rsa_signer(name: str = "rsa") -> CapSigner:
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    made = made.serial_number(7).not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=9))
    return CapSigner(key, made.sign(key, SHA256()))


@pytest.mark.parametrize("act", [Act.ISSUE, Act.UPDATE, Act.LIFT, Act.CANCEL])
def test_a_signed_message_is_valid_verifies_and_comes_apart_into_the_bytes_signed_off(
    drafts: Any, keys: Path, act: Act
) -> None:
    signer = load_signer(keys, NOW)
    for body in messages(drafts, act):
        signed = signer.sign(body)
        assert unsealed(signed) == body
        assert signed.startswith(body[: body.rindex(b"</alert>")])
        assert schema_faults(etree.fromstring(signed)) == ()
        assert verified_by(signed, [signer.certificate], NOW) == signer.certificate
        assert b"xml-stylesheet" not in signed


def test_any_change_breaks_the_signature(drafts: Any, keys: Path) -> None:
    signer = load_signer(keys, NOW)
    (body, *_) = messages(drafts)
    signed = signer.sign(body)
    for before, after in (
        (b"Extreme", b"Severe"),
        (b"<urgency>", b"<urgency> "),
        ("海阳市".encode(), "莱阳市".encode()),
    ):
        assert before in signed
        assert verified_by(signed.replace(before, after, 1), [signer.certificate], NOW) is None
    assert verified_by(body, [signer.certificate], NOW) is None


def test_what_an_old_key_signed_stays_verifiable_after_a_new_one(drafts: Any, keys: Path) -> None:
    (body, *_) = messages(drafts)
    old = load_signer(keys, NOW).sign(body)
    later = NOW + timedelta(days=700)
    made = make_cap_key(keys, "geohazard@example.invalid", later)
    new = load_signer(keys, later).sign(body)
    assert made.older == 1
    published = [x509.load_pem_x509_certificate(pem) for pem in published_certificates(keys).values()]
    assert len(published) == 2
    assert {verified_by(old, published, NOW), verified_by(new, published, later)} == set(published)
    assert verified_by(new, published, NOW) is None
    assert f"cap/keys/{made.fingerprint[:16]}.pem" in published_certificates(keys)


def test_a_damaged_certificate_does_not_silence_the_pages(keys: Path) -> None:
    before = published_certificates(keys)
    (keys / "cap-signing-0000.crt").write_bytes(b"not a certificate")
    assert published_certificates(keys) == before
    assert len(before) == 1


def _break(keys: Path, how: str) -> None:
    if how == "key-missing":
        (keys / KEY).unlink()
    elif how == "key-unreadable":
        (keys / KEY).write_bytes(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    elif how == "key-mismatch":
        key = ec.generate_private_key(ec.SECP256R1())
        (keys / KEY).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.mark.parametrize("how", ["key-missing", "key-unreadable", "key-mismatch", "key-expired"])
def test_without_a_fitting_key_nothing_is_approved_and_nothing_leaves(
    drafts: Any, keys: Path, clock: FakeClock, how: str
) -> None:
    clock.moment = NOW + timedelta(days=731) if how == "key-expired" else NOW
    _break(keys, how)
    facts: Mapping[str, Mapping[str, Any]] = {**drafts.facts, "cap": {**drafts.facts["cap"], "signature": "required"}}
    channel = WebsiteChannel(ChannelContext(facts, keys.parent, drafts.templates, clock, lambda showing="": None))  # type: ignore[arg-type]
    prepared = channel.prepare(drafts.draft(drafts.content({"370687": Level.RED})))
    assert [key for key, _ in prepared.problems] == [f"cap.{how}"]
    (body, *_) = messages(drafts)
    with pytest.raises(Refused, match=rf"cap\.{how}"):
        channel.seal(Artefact("website/cap/red.xml", "application/cap+xml", body))
    page = Artefact("website/page.zh.html", "text/html", b"<p>")
    assert channel.seal(page) == page


def test_a_signature_inside_a_text_is_not_taken_for_the_seal(keys: Path) -> None:
    text = b"<alert><note>&lt;ds:Signature&gt;&lt;/ds:Signature&gt;</note></alert>"
    assert unsealed(text) == text
    signed = load_signer(keys, NOW).sign(text)
    assert unsealed(signed) == text


@pytest.fixture
def xmlsec1() -> str:
    """The independent verifier of Debian's package xmlsec1."""
    return program(XMLSEC_REQUIRED, "xmlsec1")


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_xmlsec1_agrees(drafts: Any, keys: Path, tmp_path: Path, xmlsec1: str, kind: str) -> None:
    signer = load_signer(keys, NOW) if kind == "ecdsa" else rsa_signer()
    certificate, file = tmp_path / CERTIFICATE, tmp_path / "signed.xml"
    certificate.write_bytes(signer.certificate.public_bytes(Encoding.PEM))
    for act in (Act.ISSUE, Act.UPDATE, Act.CANCEL):
        for body in messages(drafts, act):
            signed = signer.sign(body)
            for data, good in ((signed, True), (signed.replace(b"Geo<", b"Met<"), False)):
                file.write_bytes(data)
                command = [xmlsec1, "--verify", "--pubkey-cert-pem", str(certificate), str(file)]
                done = subprocess.run(command, capture_output=True, text=True, timeout=30)
                assert (done.returncode == 0) is good, f"{act}: {done.stderr}"
