"""House rule 10 as properties: whatever the settings, nothing of an exercise goes to a live target, nor the reverse."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import Dispatch, DispatchState
from geowarn.domain.errors import PermanentFailure
from geowarn.domain.exercise import (
    AROUND_HANDOVER,
    TARGET,
    Pages,
    closed_windows,
    exercise_facts,
    free_until,
    is_closed,
    trial_targets,
)
from geowarn.domain.level import Level
from geowarn.domain.people import Shift
from geowarn.domain.recipient import ROLES, Recipient
from geowarn.domain.warning import Act, AreaLevel, Content, Series
from geowarn.pipeline.fanout import PUBLIC, dispatches_for, priority
from geowarn.ports import BulletinDraft, Delivery, Limits, Message, Receipt, Target
from geowarn.settings import load_settings
from geowarn_channels.sms_account import refuse_leak, trial_sms
from geowarn_channels.twilio_account import is_loopback

NOW = datetime(2026, 7, 22, 18, tzinfo=UTC)
AREAS = {code: Area(code, AreaKind.COUNTY, code, code) for code in ("a", "b")}
NAMES = ("tv", "radio", "desk", "hub")
CHANNELS = ("website", "sms", "broadcast", "webhook", "pager")


class Carrier:
    def __init__(self, name: str, exercises: bool) -> None:
        self.name, self.limits = name, Limits(("zh",), None, False, 500, 1, exercises=exercises)

    def prepare(self, draft: BulletinDraft) -> Message:
        return Message(self.name, ())

    def send(self, delivery: Delivery, target: Target) -> Receipt:
        raise PermanentFailure("x")


people = st.lists(
    st.builds(
        lambda key, area, role: Recipient(key, key, b"", "", area, "zh", role, "c", NOW),
        st.sampled_from([f"n{i}" for i in range(6)]),
        st.sampled_from(sorted(AREAS)),
        st.sampled_from(ROLES),
    ),
    max_size=12,
)
entries = st.dictionaries(
    st.sampled_from(NAMES), st.fixed_dictionaries({}, optional={"live": st.sampled_from([True, False, None, "no"])})
)
able = st.fixed_dictionaries({name: st.booleans() for name in CHANNELS})
acts = st.sampled_from(list(Act))


def bulletin(series: Series, act: Act, name: str = "b") -> Bulletin:
    content = Content(act, series, (AreaLevel("a", Level.RED), AreaLevel("b", Level.YELLOW)), NOW, NOW, NOW)
    paths = [f"{channel}/{level}.zh.txt" for channel in CHANNELS for level in ("red", "yellow")]
    return Bulletin(name, "w", "p", series, 2026, 1, "n", "s", NOW, content, "0", {}, dict.fromkeys(paths, "0"))


def fan_out(
    series: Series, act: Act, people: list[Recipient], able: dict[str, bool], facts: dict[str, Any], told: set[str]
) -> tuple[Dispatch, ...]:
    earlier = [
        Dispatch(f"d{key}", "b0", "sms", key, "sms/red.zh.txt", 1, "s", 1, NOW, NOW, DispatchState.DELIVERED)
        for key in sorted(told)
    ]
    return dispatches_for(
        bulletin(series, act),
        channels={name: Carrier(name, exercises) for name, exercises in able.items()},
        recipients=people,
        areas=AREAS,
        stations=tuple(facts["channels"]["stations"]),
        partners=tuple(facts["channels"]["webhooks"]),
        earlier=earlier,
        publish_from=Level.YELLOW,
        release_at=NOW,
        trials=trial_targets(facts),
    )


@given(people, entries, able, acts, acts)
def test_every_real_message_goes_before_every_message_of_an_exercise(
    people: list[Recipient], marked: dict[str, Any], able: dict[str, bool], act: Act, real_act: Act
) -> None:
    """Red, its end, and files and feeds of an exercise stand behind a real text to the last tier."""
    facts = {"channels": {"stations": marked, "webhooks": marked}}
    everyone = {r.phone_key for r in people}
    played = fan_out(Series.EXERCISE, act, people, able, facts, everyone)
    real = fan_out(Series.REAL, real_act, people, able, facts, everyone)
    highest = max((row.priority for row in played), default=-1)
    assert all(row.priority > highest for row in real)
    assert highest < priority(Level.NONE, 2, ending=False)


@given(people, entries, entries, able, acts)
def test_an_exercise_goes_to_what_is_marked_as_a_test_and_nowhere_else(
    people: list[Recipient], stations: dict[str, Any], partners: dict[str, Any], able: dict[str, bool], act: Act
) -> None:
    """The first place alone: `live` left out, or anything but false, is live."""
    facts = {"channels": {"stations": stations, "webhooks": partners}}
    group = {r.phone_key for r in people if r.role == TARGET}
    marked = {"broadcast": stations, "webhook": partners}
    for row in fan_out(Series.EXERCISE, act, people, able, facts, group):
        if row.channel == "sms":
            assert row.target_key in group
        elif row.channel in marked:
            assert marked[row.channel][row.target_key].get("live") is False
        else:
            assert row.target_key == TARGET != PUBLIC
            assert able[row.channel]


@given(people, entries, entries, able, acts)
def test_a_real_bulletin_goes_to_everyone_but_the_group(
    people: list[Recipient], stations: dict[str, Any], partners: dict[str, Any], able: dict[str, bool], act: Act
) -> None:
    facts = {"channels": {"stations": stations, "webhooks": partners}}
    public = {r.phone_key for r in people if r.role != TARGET}
    rows = fan_out(Series.REAL, act, people, able, facts, public)
    assert {row.target_key for row in rows if row.channel == "sms"} == public
    assert {row.target_key for row in rows if row.channel == "broadcast"} == set(stations)
    assert {row.target_key for row in rows if row.channel in ("website", "pager")} == {PUBLIC}


bases = st.sampled_from(
    ["", "https://api.twilio.com", "http://127.0.0.1:9", "http://localhost:1", "http://127.evil.cn"]
)
words = st.sampled_from(["", "AC1", "AC2", "+12025550100", "+12025550199"])
trial_settings = st.fixed_dictionaries(
    {}, optional={f"sms_{k}": v for k, v in (("base_url", bases), ("account_sid", words), ("sender", words))}
)


@given(bases, words, words, trial_settings, st.booleans())
def test_an_exercise_never_leaves_by_the_real_account(
    base: str, sid: str, sender: str, own: dict[str, str], synthetic: bool
) -> None:
    """The third place alone, for SMS: random settings, and what they let through."""
    settings = load_settings(None).sections()
    settings["installation"]["synthetic"] = synthetic
    settings["sms"] |= {"base_url": base, "account_sid": sid, "auth_token": "t", "sender": sender}
    settings["exercise"] = {**settings["exercise"], **own}
    try:
        refuse_leak(settings, bulletin(Series.EXERCISE, Act.ISSUE))
    except PermanentFailure:
        return
    account = trial_sms(settings)
    assert account["sender"] != sender
    assert account["account_sid"]
    assert is_loopback(account["base_url"]) or (account["account_sid"] != sid and not synthetic)


@given(st.sampled_from(["", "https://drill.example/x", "https://drill.example/"]))
def test_the_pages_of_exercises_are_never_the_public_ones(own: str) -> None:
    facts = load_settings(None).sections()
    facts["exercise"]["site_url"] = own
    seen = exercise_facts(facts)
    assert seen["site"]["public_url"] != facts["site"]["public_url"]
    assert "演练" in seen["installation"]["name_zh"]
    assert "演练" not in facts["installation"]["name_zh"]


@given(st.sampled_from(list(Series)), st.sampled_from(list(Series)), acts)
def test_the_page_of_a_bulletin_is_named_where_it_stands(series: Series, within: Series, act: Act) -> None:
    facts = load_settings(None).sections()
    made = bulletin(series, act)
    made = replace(made, content=replace(made.content, series=within))
    page, real = Pages.by(facts).of(made), facts["site"]["public_url"]
    if Series.INTERNAL in (series, within):
        assert page is None
    elif Series.EXERCISE in (series, within):
        assert page == f"{real}/exercise/w/s/"
    else:
        assert page == f"{real}/w/s/"


@st.composite
def rosters(draw: st.DrawFn) -> list[Shift]:
    """Shifts one after the other, sometimes with a gap, an overlap, or the same officer twice."""
    at, found = NOW, []
    for index in range(draw(st.integers(1, 5))):
        start = at + timedelta(minutes=draw(st.sampled_from([-30, 0, 0, 0, 45, 120])))
        at = start + timedelta(hours=draw(st.integers(4, 12)))
        found.append(Shift(f"s{index}", draw(st.sampled_from("xyz")), None, start, at))
    return found


@given(rosters(), st.integers(-60, 60 * 60))
def test_around_every_change_of_the_officer_no_exercise_begins(roster: list[Shift], minutes: int) -> None:
    now = NOW + timedelta(minutes=minutes)
    closed = is_closed(now, closed_windows(roster))
    before, after = now - AROUND_HANDOVER, now + AROUND_HANDOVER
    ends = [s.end for s in roster if before < s.end <= after]
    handed = [e for e in ends if not any(o.start <= e < o.end for o in roster)]
    if handed:
        assert closed
    if not any(before < moment <= after for s in roster for moment in (s.start, s.end)):
        assert not closed


@given(rosters())
def test_an_exercise_that_begins_free_has_room_until_the_next_window(roster: list[Shift]) -> None:
    windows = closed_windows(roster)
    free = free_until(NOW, windows)
    assert free is None or (free > NOW and is_closed(free, windows))
