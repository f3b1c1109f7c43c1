"""CAP of other issuers (house rules 11 and 18): hostile files refused, signatures verified, 1.1 taken as such."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.unit.cap_samples import SQUARE, area, info, reference
from tests.unit.issuer_bench import READER, SENDER, alert, issuer, older, pem, signer, signing

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.issuers import Demand, Issuer, plain
from geowarn_channels.cap_verifier import CapVerifier

HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
GOOD = alert()
TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u200b\ufeff\0\x1b\n\r\t"
LAUGHS = (
    b'<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)


def refused(data: bytes, of: Issuer | None = None) -> str:
    """The key of the refusal, which must be sayable in both languages."""
    with pytest.raises(Refused) as caught:
        READER.read(data, "m.xml", of or issuer())
    assert all("m.xml" in explain(caught.value, language) for language in ("zh", "en"))
    return caught.value.key


def with_first(data: bytes, more: bytes) -> bytes:
    return data.replace(b"<alert ", more + b"<alert ", 1)


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"", "sources.empty"),
        (b"<alert", "companion.xml"),
        (with_first(GOOD, LAUGHS), "companion.doctype"),
        (with_first(GOOD, b'<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd">'), "companion.doctype"),
        (with_first(GOOD, b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'), "companion.doctype"),
        (GOOD.decode().replace('"UTF-8"', '"UTF-16"').encode("utf-16"), "issuers.encoding"),
        (GOOD.decode().replace('"UTF-8"', '"GB18030"').encode("gb18030"), "issuers.encoding"),
        (GOOD.replace(b'"UTF-8"', b'"ISO-8859-1"'), "issuers.encoding"),
        (GOOD.replace(b"Severe", b"\xff"), "issuers.encoding"),
        (with_first(GOOD, b'<?xml-stylesheet type="text/xsl" href="x.xsl"?>'), "issuers.instruction"),
        (GOOD.replace(b"<info>", b"<?php evil ?><info>", 1), "issuers.instruction"),
        (GOOD + b"<?after?>", "issuers.instruction"),
        (
            GOOD.replace(b"<info>", b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="x"/><info>', 1),
            "companion.element-unexpected",
        ),
        (HEAD + b"<a>" * 300 + b"</a>" * 300, "companion.xml"),
        (HEAD + b"<a>" * 40 + b"</a>" * 40, "issuers.too-deep"),
        (HEAD + b"<a>" + b"<b/>" * 20_001 + b"</a>", "issuers.too-deep"),
        (b"<a>" + b"x" * (2 << 20) + b"</a>", "sources.too-large"),
        (GOOD.replace(b"cap:1.2", b"cap:1.0"), "companion.not-cap"),
        (b"<html><body>log in</body></html>", "companion.not-cap"),
        (GOOD.replace(b"<scope>Public</scope>", b""), "companion.element-missing"),
        (alert(infos=info(f"<area><areaDesc>x</areaDesc><polygon>{SQUARE}</polygon><altitude>high</altitude></area>")),
         "issuers.schema"),
        (alert(msgType="Cancel"), "companion.no-references"),
        (alert(infos=""), "companion.element-missing"),
        (alert(sent="2026-07-22T18:00:00Z"), "companion.value"),
        (alert(sender="a b"), "companion.value"),
        (alert(msgType="Update", references="b,c,0001-01-01T00:00:00+08:00"), "companion.value"),
        (alert(msgType="Update", references=" ".join(f"b,c{n},2026-07-23T01:00:00+08:00" for n in range(1001))),
         "issuers.too-many-references"),
        (alert(infos=info(area(polygon="36,121 37,121 36,122 37,122"))), "companion.value"),
    ],
)  # fmt: skip
def test_a_hostile_or_wrong_file_is_refused_with_its_name(data: bytes, key: str) -> None:
    assert refused(data) == key


def test_many_points_are_refused() -> None:
    ring = " ".join(["6,1", *["7,1", "6,2"] * 18_000, "6,1"])
    assert refused(alert(infos=info("".join(area(polygon=ring) for _ in range(3))))) == "issuers.too-many-points"


def test_many_areas_are_refused() -> None:
    assert refused(alert(infos=info(area(geocode="1") * 1001))) == "issuers.too-many-areas"


def test_a_style_sheet_is_passed_over_where_the_feed_allows_it() -> None:
    styled = with_first(GOOD, b'<?xml-stylesheet type="text/xsl" href="x.xsl"?>')
    assert READER.read(styled, "m.xml", issuer(stylesheet=True)).message.infos[0].event == "暴雨"
    assert refused(with_first(GOOD, b"<?other x?>"), issuer(stylesheet=True)) == "issuers.instruction"


def test_a_comment_cannot_cut_a_text() -> None:
    split = GOOD.replace(SENDER.encode(), SENDER.encode()[:3] + b"<!-- x -->" + SENDER.encode()[3:])
    assert READER.read(split, "m.xml", issuer()).message.key.sender == SENDER


def test_cap_1_1_is_read_as_such_and_says_so() -> None:
    made = READER.read(older(alert(sent="2026-07-22T18:00:00.5Z")), "m.xml", issuer()).message
    assert (made.version, made.remarks) == ("1.1", ("cap-1-1",))
    clears = older(
        alert(infos=info(area(geocode="370687")).replace("<urgency>", "<responseType>AllClear</responseType><urgency>"))
    )
    assert refused(clears) == "companion.value"  # CAP 1.1 has no such response
    assert refused(older(alert(sent="2026-07-22T18:00:00"))) == "companion.value"  # no offset: no moment


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"infos": info(area(geocode="1"), expires=None)}, "end-assumed"),
        ({"infos": info(area(geocode="1"), expires="2126-07-24T02:00:00+08:00")}, "end-bounded"),
        ({"msgType": "Update"}, "update-of-nothing"),
        ({"msgType": "Update", "references": reference("1")}, "refers-to-itself"),
        ({"msgType": "Update", "references": "b,c,2026-07-23T01:00:00+08:00"}, "refers-to-others"),
        ({"infos": info(area())}, "no-area"),
    ],
)
def test_what_is_odd_is_remarked_not_refused(changes: Any, remark: str) -> None:
    assert remark in READER.read(alert(**changes), "m.xml", issuer()).message.remarks


# --- signatures ----------------------------------------------------------------------------------------------------


def test_a_signed_message_is_taken_and_says_who_signed() -> None:
    letter = READER.read(signer().sign(GOOD), "m.xml", signing())
    assert letter.signed_by == CapVerifier().fingerprint(pem())
    assert letter.message == READER.read(GOOD, "m.xml", issuer()).message
    assert READER.read(signer().sign(older(GOOD)), "m.xml", signing()).message.version == "1.1"


@pytest.mark.parametrize(
    ("before", "after"), [(b"Severe", b"Minor"), (b"rain-1", b"rain-2"), ("海阳市".encode(), "莱阳市".encode())]
)
def test_any_change_after_signing_is_refused(before: bytes, after: bytes) -> None:
    assert before in GOOD
    for demand in (Demand.REQUIRED, Demand.IF_PRESENT):
        assert refused(signer().sign(GOOD).replace(before, after, 1), signing(demand)) == "issuers.signature"


def test_what_each_demand_makes_of_a_missing_and_a_foreign_signature() -> None:
    foreign = signer("somebody").sign(GOOD)
    assert refused(GOOD, signing()) == "issuers.unsigned"
    assert refused(foreign, signing()) == "issuers.signature"
    assert refused(foreign, signing(Demand.IF_PRESENT)) == "issuers.signature"
    assert READER.read(GOOD, "m.xml", signing(Demand.IF_PRESENT)).signed_by == ""
    assert READER.read(foreign, "m.xml", issuer()).signed_by == ""


def test_a_certificate_that_had_ended_when_it_was_sent_signs_nothing() -> None:
    ended = signer("old", -5)
    assert (
        refused(ended.sign(GOOD), issuer(demand=Demand.REQUIRED, certificates=(pem("old", -5),))) == "issuers.signature"
    )


def test_a_renewed_key_is_taken_beside_the_old_one() -> None:
    both = signing(Demand.REQUIRED, "weather", "renewed")
    for name in ("weather", "renewed"):
        assert READER.read(signer(name).sign(GOOD), "m.xml", both).signed_by == CapVerifier().fingerprint(pem(name))


def _wrapped() -> bytes:
    """A signed message inside another one (signature wrapping)."""
    signed = signer().sign(GOOD).replace(HEAD, b"")
    return GOOD.replace(b"<status>", b"<status>", 1).replace(b"</alert>", signed + b"</alert>")


def _twice() -> bytes:
    signed = signer().sign(GOOD)
    start = signed.index(b"<ds:Signature")
    return signed.replace(b"</alert>", signed[start : signed.rindex(b"</alert>")] + b"</alert>")


def _of_nothing() -> bytes:
    return signer().sign(GOOD).replace(b'URI=""', b'URI="#none"')


def _plain_key() -> bytes:
    """A signature whose key stands in it, with no certificate."""
    root = etree.fromstring(signer("somebody").sign(GOOD))
    for data in list(root.iter("{*}X509Data")):
        parent = data.getparent()
        assert parent is not None
        parent.remove(data)
    return HEAD + bytes(etree.tostring(root, encoding="unicode").encode())


def _stolen_certificate() -> bytes:
    """Another's signature beside the right certificate."""
    signed = signer("somebody").sign(GOOD).decode()
    start, end = signed.index("<ds:X509Certificate>") + 20, signed.index("</ds:X509Certificate>")
    ours = base64.b64encode(signer().certificate.public_bytes(Encoding.DER))
    return (signed[:start] + ours.decode() + signed[end:]).encode()


def _empty_value() -> bytes:
    root = etree.fromstring(signer().sign(GOOD))
    for value in root.iter("{*}SignatureValue"):
        value.text = None
    return HEAD + bytes(etree.tostring(root, encoding="unicode").encode())


@pytest.mark.parametrize("made", [_empty_value, _wrapped, _twice, _of_nothing, _plain_key, _stolen_certificate])
def test_tricks_with_signatures_are_refused(made: Any) -> None:
    assert refused(made(), signing()) in ("issuers.signature", "companion.element-unexpected", "issuers.schema")


def test_a_comment_put_in_after_signing_does_not_change_what_is_read() -> None:
    signed = signer().sign(alert(identifier="rain-1.evil"))
    cut = signed.replace(b"rain-1.evil", b"rain-1<!-- -->.evil", 1)
    assert READER.read(cut, "m.xml", signing()).message.key.identifier == "rain-1.evil"


# --- texts ---------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=80), st.integers(2, 40))
def test_a_text_of_others_is_one_bounded_line_that_turns_nothing_round(text: str, longest: int) -> None:
    line = plain(text, longest)
    assert len(line) <= longest
    assert line == plain(line, longest)
    assert not set(line).intersection(TURNING)
    line.encode()


@settings(max_examples=60)
@given(st.binary(max_size=300), st.integers(0, len(GOOD)))
def test_no_bytes_raise_anything_but_a_refusal(junk: bytes, place: int) -> None:
    for data in (junk, GOOD[:place] + junk + GOOD[place:]):
        try:
            READER.read(data, "m.xml", issuer())
        except Refused as refusal:
            explain(refusal, "zh")
