"""What other issuers say: whether it holds, what their feeds lead to, what a plan may be."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cap_samples import area, info, reference
from tests.unit.issuer_bench import NOW, READER, SENDER, alert, issuer, pem

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.issuers import (
    Demand,
    Issuer,
    Outcome,
    Standing,
    Taken,
    end_of,
    ends_of,
    in_language,
    may_end,
    message_id,
    outcome_of,
    standing_of,
)
from geowarn.pipeline.issuer_plan import load_issuers
from geowarn.resources import config_dir
from geowarn.sources.cap_feed import CapFeedReader
from geowarn_channels.cap_verifier import CapVerifier

HOUR = timedelta(hours=1)
FEED = "https://weather.example.org/cap/feed.xml"


def taken(**changes: Any) -> Taken:
    values: dict[str, Any] = {
        "id": "x-1", "issuer": "weather", "sender": SENDER, "identifier": "rain-1", "sent": NOW, "version": "1.2",
        "status": "Actual", "msg_type": "Alert", "outcome": Outcome.SHOWN, "expires": NOW + HOUR, "clears": False,
        "unplaced": False, "codes": ("370687",), "facts": {}, "remarks": (), "digest": "", "payload": "",
        "signed_by": "", "received_at": NOW,
    } | changes  # fmt: skip
    return Taken(**values)


@pytest.mark.parametrize(
    ("changes", "minutes", "silent", "standing"),
    [
        ({}, 0, None, Standing.IN_FORCE),
        ({}, 60, None, Standing.LAPSED),
        ({}, 60, -30, Standing.HELD),  # it ended while nobody was heard: he may have said more
        ({}, 60, 90, Standing.LAPSED),  # he was heard after it had ended, and said nothing more
        ({}, 60 * 26, -30, Standing.LAPSED),
        ({"ended_by": "x-2"}, 0, None, Standing.ENDED),
        ({"ended_by": "x-2"}, 0, -30, Standing.ENDED),
        ({"msg_type": "Cancel"}, 0, None, Standing.NONE),
        ({"clears": True}, 0, None, Standing.CLEARED),
        ({"outcome": Outcome.NOT_ACTUAL, "status": "Exercise"}, 0, None, Standing.NONE),
        ({"outcome": Outcome.NOT_PUBLIC}, 0, None, Standing.NONE),
        ({"outcome": Outcome.OLD}, 0, None, Standing.NONE),
    ],
)
def test_whether_a_message_holds(changes: Any, minutes: int, silent: int | None, standing: Standing) -> None:
    since = None if silent is None else NOW + timedelta(minutes=silent)
    assert standing_of(taken(**changes), NOW + timedelta(minutes=minutes), since) is standing


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, Outcome.SHOWN),
        *(({"status": status}, Outcome.NOT_ACTUAL) for status in ("Exercise", "System", "Test", "Draft")),
        *(({"scope": scope}, Outcome.NOT_PUBLIC) for scope in ("Restricted", "Private")),
        ({"msgType": "Ack"}, Outcome.RECEIPT),
        ({"sent": "2026-07-19T02:00:00+08:00"}, Outcome.OLD),
    ],
)
def test_what_becomes_of_a_message(changes: Any, outcome: Outcome) -> None:
    message = READER.read(alert(**changes), "m.xml", issuer()).message
    assert outcome_of(message, NOW, timedelta(hours=72)) is outcome


@pytest.mark.parametrize(
    ("kind", "expires", "follows", "outcome", "ends"),
    [
        ("Update", "2026-07-30T02:00:00+08:00", True, Outcome.SHOWN, 1),
        ("Update", "2026-07-30T02:00:00+08:00", False, Outcome.OLD, 0),
        ("Update", "2026-07-22T02:00:00+08:00", True, Outcome.OLD, 0),  # it has ended itself
        ("Cancel", "2026-07-30T02:00:00+08:00", True, Outcome.OLD, 1),
    ],
)
def test_an_update_that_comes_late_follows_what_was_shown_or_ends_nothing(
    kind: str, expires: str, follows: bool, outcome: Outcome, ends: int
) -> None:
    late = alert("2", infos=info(area(), expires=expires), msgType=kind, references=reference("1"))
    message = READER.read(late.replace(b"2026-07-23T02:00:0", b"2026-07-19T02:00:0"), "m.xml", issuer()).message
    assert outcome_of(message, NOW, timedelta(hours=72), follows) is outcome
    assert len(ends_of(message, outcome)) == ends


def test_an_end_is_bounded_and_references_reach_back_only() -> None:
    long = READER.read(alert(infos=info(area(), expires="2126-07-24T02:00:00+08:00")), "m.xml", issuer()).message
    none = READER.read(alert(infos=info(area(), expires=None)), "m.xml", issuer()).message
    assert end_of(long) - long.key.sent == timedelta(days=30)
    assert end_of(none) - none.key.sent == timedelta(hours=24)
    both = READER.read(alert("2", msgType="Update", references=f"{reference('1')} {reference('3')}"), "m", issuer())
    assert [key.identifier for key in may_end(both.message)] == ["rain-1"]
    assert message_id(both.message.key).startswith("x-")


def test_a_text_is_shown_in_the_readers_language_else_in_its_first() -> None:
    both = [{"language": "zh-CN", "event": "暴雨"}, {"language": "en-US", "event": "Rain"}]
    assert in_language(both, "en")["event"] == "Rain"
    assert in_language(both[:1], "en")["event"] == "暴雨"
    assert in_language([], "en") == {}


# --- feeds ---------------------------------------------------------------------------------------------------------

ATOM = """<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><id>f</id>
<entry><id>1</id><updated>{updated}</updated><link href="page.html" type="text/html"/>
<link type="application/cap+xml" href="1.xml"/></entry>
<entry><id>2</id><updated>u</updated>
<link rel="enclosure" type="application/common-alerting-protocol+xml; charset=utf-8" href="/2.xml"/></entry>
<entry><id>3</id><updated>u</updated><link href="3.xml"/></entry>
<entry><id>4</id><updated>u</updated><link type="text/html" href="4.html"/></entry>
<entry><id>1</id><updated>again</updated><link type="application/cap+xml" href="1.xml"/></entry></feed>"""
RSS = """<rss version="2.0"><channel><title>t</title><link>https://weather.example.org/</link>
<item><title>a</title><link> https://weather.example.org/cap/1.xml </link>
<guid>1</guid><pubDate>{updated}</pubDate></item>
<item><title>b</title><link></link></item><item><link>2.xml</link></item></channel></rss>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
<channel><link>x</link></channel><item><link>1.xml</link></item></rdf:RDF>"""


def links(text: str, hosts: tuple[str, ...] = (), updated: str = "u") -> list[str]:
    return [one.address for one in CapFeedReader().links(text.replace("{updated}", updated).encode(), FEED, hosts)]


def test_each_kind_of_feed_leads_to_its_messages() -> None:
    base = "https://weather.example.org"
    assert links(ATOM) == [f"{base}/cap/1.xml", f"{base}/2.xml", f"{base}/cap/3.xml"]
    assert links(RSS) == [f"{base}/cap/1.xml", f"{base}/cap/2.xml"]
    assert links(RDF) == [f"{base}/cap/1.xml"]
    assert links('<rss version="2.0"><channel/></rss>') == []
    broken = CapFeedReader().links(RSS.replace("<link></link>", "<link>http://[x</link>").encode(), FEED, ())
    assert [(one.address, one.sound) for one in broken][1:] == [("http://[x", False), (f"{base}/cap/2.xml", True)]


@pytest.mark.parametrize("feed", [ATOM, RSS])
def test_a_mark_changes_with_the_entry_alone(feed: str) -> None:
    marks = [
        {one.address: one.mark for one in CapFeedReader().links(feed.replace("{updated}", at).encode(), FEED, ())}
        for at in ("u", "u", "v")
    ]
    assert marks[0] == marks[1]
    assert [address for address in marks[0] if marks[0][address] != marks[2][address]] == [
        "https://weather.example.org/cap/1.xml"
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("<html/>", "issuers.not-a-feed"),
        ('<!DOCTYPE rss [<!ENTITY x "y">]><rss>&x;</rss>', "companion.doctype"),
        (RDF.replace("1.xml", "https://elsewhere.example.org/1.xml"), "issuers.elsewhere"),
        (RDF.replace("1.xml", "http://weather.example.org/1.xml"), "issuers.elsewhere"),
        (RDF.replace("1.xml", "file:///etc/passwd"), "issuers.elsewhere"),
        (RDF.replace("1.xml", "https://weather.example.org@evil.example.org/1.xml"), "issuers.elsewhere"),
        (RDF.replace("1.xml", "https://weather.example.org:8443/1.xml"), "issuers.elsewhere"),
        ("<rss><channel>" + "".join(f"<item><link>{n}.xml</link></item>" for n in range(201)) + "</channel></rss>",
         "issuers.too-many-entries"),
    ],
)  # fmt: skip
def test_a_feed_that_is_none_or_leads_elsewhere_is_refused(text: str, key: str) -> None:
    with pytest.raises(Refused) as caught:
        links(text)
    assert caught.value.key == key


def test_a_feed_may_lead_to_the_hosts_that_its_table_names() -> None:
    text = RDF.replace("1.xml", "https://cdn.example.org/1.xml")
    assert links(text, ("cdn.example.org",)) == ["https://cdn.example.org/1.xml"]
    with pytest.raises(Refused, match=r"issuers\.elsewhere"):
        links(text.replace("https:", "http:"), ("cdn.example.org",))


# --- the plan ------------------------------------------------------------------------------------------------------

GOOD = {
    "name_zh": '"省气象台"', "name_en": '"Observatory"', "kind": '"feed"', "enabled": "true",
    "address": '"https://weather.example.org/feed?key=1"', "senders": f'["{SENDER}"]', "signature": '"required"',
    "certificates": '["weather.crt"]',
}  # fmt: skip


def plan(folder: Path, *tables: dict[str, str]) -> tuple[Issuer, ...]:
    keys = folder / "keys"
    keys.mkdir(exist_ok=True)
    (keys / "weather.crt").write_bytes(pem())
    (keys / "other.crt").write_bytes(pem("somebody"))
    (keys / "broken.crt").write_bytes(b"not a certificate")
    file = folder / "issuers.toml"
    text = "".join(
        f"[feed-{at}]\n" + "".join(f"{key} = {value}\n" for key, value in table.items() if value)
        for at, table in enumerate(tables)
    )
    file.write_text(text, "utf-8")
    return load_issuers(file, keys, CapVerifier(), ("geohazard@example.invalid",))


def test_a_good_plan_is_read(tmp_path: Path) -> None:
    (found,) = plan(tmp_path, GOOD)
    assert (found.demand, found.certificates, found.poll_seconds) == (Demand.REQUIRED, (pem(),), 120)


def test_the_shipped_plan_is_off_and_can_be_read(tmp_path: Path) -> None:
    shipped = load_issuers(config_dir() / "issuers.toml", tmp_path, None, ())
    assert shipped
    assert not any(issuer.enabled for issuer in shipped)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": '"ftp"'}, "feed, cap, folder"),
        ({"signature": '"maybe"'}, "required, if-present, none"),
        ({"signature": ""}, "signature"),
        ({"senders": "[]"}, "senders"),
        ({"senders": '["a b"]'}, "senders"),
        ({"senders": '["geohazard@example.invalid"]'}, "geohazard@example.invalid"),
        ({"certificates": "[]"}, "certificates"),
        ({"certificates": '["../secret.pem"]'}, "certificates"),
        ({"certificates": '["absent.crt"]'}, "keys/absent.crt"),
        ({"certificates": '["broken.crt"]'}, "keys/broken.crt"),
        ({"address": '"ftp://x"'}, "address"),
        ({"kind": '"folder"'}, "inbox/issuers/feed-0/"),
        ({"poll_seconds": "5"}, "30 … 3600"),
        ({"max_age_hours": '"long"'}, "max_age_hours"),
        ({"silent_minutes": "0"}, "silent_minutes"),
        ({"daily_messages": "5"}, "10 … 100000"),
        ({"daily_mebibytes": "0"}, "1 … 10000"),
        ({"http": "{ total_seconds = 0 }"}, "total_seconds"),
        ({"http": "{ retries = 3 }"}, "retries"),
        ({"colour": '"red"'}, "colour"),
        ({"enabled": '"yes"'}, "enabled"),
    ],
)
def test_a_wrong_setting_is_named_in_both_languages(tmp_path: Path, changes: dict[str, str], says: str) -> None:
    with pytest.raises(Refused) as caught:
        plan(tmp_path, GOOD | changes)
    for language in ("zh", "en"):
        assert says in explain(caught.value, language)
        assert "issuers.toml" in explain(caught.value, language)


def test_no_weaker_feed_may_speak_for_a_sender(tmp_path: Path) -> None:
    weaker = GOOD | {"signature": '"none"', "certificates": ""}
    for other in (weaker, GOOD | {"certificates": '["other.crt"]'}):
        with pytest.raises(Refused, match=r"issuers\.shared"):
            plan(tmp_path, GOOD, other)
    assert len(plan(tmp_path, GOOD, weaker | {"enabled": "false"})) == 2
    assert len(plan(tmp_path, GOOD, GOOD)) == 2
