"""Whatever is proposed, its CAP messages keep every rule of CAP 1.2 and of its known receivers (house rules 3, 10, 11).

`make fuzz-cap` draws many more courses and hands them to capvalidator and capparser.
"""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from lxml import etree
from signxml.verifier import XMLVerifier
from tests.programs import program
from tests.unit.cap_draws import Plan, Released, all_messages, course_of, plans
from tests.unit.cap_rulebook import Read, faults, misplaced, read, standing, wrong_references
from tests.unit.issuer_bench import READER, issuer, signer

from geowarn.domain.issuers import Demand
from geowarn.domain.package import unsealed
from geowarn.domain.warning import Series
from geowarn_channels.cap import check_cap

SIGNER = signer("ours", 36_500)  # valid whenever the test runs: capvalidator looks at the clock
few = settings(max_examples=14, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def broken(plan: Plan) -> list[str]:
    """Every rule that a course breaks, message by message and step by step."""
    exercise = plan.series is Series.EXERCISE or plan.synthetic
    found: list[str] = []
    before: list[Read] = []
    for one in course_of(plan):
        for body in (*one.messages.values(), *one.retraction.values()):
            found += [f"{one.bulletin.slug} {fault}" for fault in faults(body, exercise)]
            found += [f"{one.bulletin.slug} {fault}" for fault in misplaced(body, plan.areas)]
            found += [f"{one.bulletin.slug} own check: {problem}" for problem in check_cap(body)]
        now = [read(body) for body in one.messages.values()]
        found += [f"{message.name}: {wrong}" for message in now for wrong in wrong_references(message, before)]
        found += _one_level_each(plan, one, [*before, *now])
        found += _taken_back(one, before, now)
        before += now
        found += ["an identifier twice"] if len({message.name for message in before}) != len(before) else []
    return found


def _one_level_each(plan: Plan, one: Released, messages: list[Read]) -> list[str]:
    """After each step every public area stands at exactly its level, and no other area stands at all."""
    content, at = one.draft.content, one.bulletin.released_at
    over = content.act.value in ("lift", "cancel")
    wanted = {a.code: [a.level.code] for a in content.areas if a.level >= plan.publish_from and not over}
    return [] if standing(messages, at) == wanted else [f"{one.bulletin.slug}: {standing(messages, at)} for {wanted}"]


def _taken_back(one: Released, before: list[Read], now: list[Read]) -> list[str]:
    """The retraction cancels every message of its bulletin that stands, and names nothing that was never sent."""
    back = [read(body) for body in one.retraction.values()]
    known = {message.key for message in (*before, *now)}
    named = {reference for message in back for reference in message.references}
    found = [] if all(message.kind == "Cancel" for message in back) else ["a retraction that is no cancel"]
    found += [f"retraction names {name}" for name in sorted(named - known)]
    left = standing([*before, *now, *back], one.bulletin.released_at + timedelta(minutes=5))
    return [*found, *([f"left standing: {left}"] if left else [])]


@few
@given(plan=plans())
def test_every_rule_holds_for_every_course(plan: Plan) -> None:
    assert broken(plan) == []


@settings(few, max_examples=4)
@given(plan=plans())
def test_what_is_signed_verifies_comes_apart_and_is_taken_by_a_receiver(plan: Plan) -> None:
    certificate = SIGNER.certificate.public_bytes(Encoding.PEM)
    receiver = issuer(demand=Demand.REQUIRED, certificates=(certificate,))
    for body in all_messages(course_of(plan))[:4]:
        signed = SIGNER.sign(body)
        assert unsealed(signed) == body
        assert as_capvalidator(signed)
        assert not as_capvalidator(signed.replace(b"Geo<", b"Met<"))
        letter = READER.read(signed, "m.xml", receiver)
        assert letter.message.remarks == () or letter.message.remarks == ("no-area",)


def as_capvalidator(signed: bytes) -> bool:
    """capvalidator 0.1.0.dev4: drops blanks between elements, then verifies by the certificate inside."""
    root = etree.fromstring(etree.tostring(etree.XML(signed, etree.XMLParser(remove_blank_text=True))))
    inside = root.findtext(".//{http://www.w3.org/2000/09/xmldsig#}X509Certificate") or ""
    pem = f"-----BEGIN CERTIFICATE-----\n{inside.strip()}\n-----END CERTIFICATE-----"
    try:
        XMLVerifier().verify(root, x509_cert=x509.load_pem_x509_certificate(pem.encode()))
    except Exception:
        return False
    return True


def test_xmlsec1_verifies_every_message_of_a_drawn_course(tmp_path: Path) -> None:
    xmlsec1 = program("GEOWARN_REQUIRE_XMLSEC", "xmlsec1")
    certificate = tmp_path / "c.pem"
    certificate.write_bytes(SIGNER.certificate.public_bytes(Encoding.PEM))
    drawn: list[bytes] = []

    @settings(few, max_examples=3, database=None)
    @given(plan=plans())
    def draw(plan: Plan) -> None:
        drawn.extend(all_messages(course_of(plan))[:6])

    draw()
    files = []
    for number, body in enumerate(drawn):
        files.append(tmp_path / f"{number}.xml")
        files[-1].write_bytes(SIGNER.sign(body))
    command = [xmlsec1, "--verify", "--pubkey-cert-pem", str(certificate), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[:2000]
    assert files
