"""Who gets which text, in which order, until when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import Dispatch, DispatchState
from geowarn.domain.level import Level
from geowarn.domain.recipient import Recipient
from geowarn.domain.warning import Act, AreaLevel, Content, Series
from geowarn.pipeline.fanout import dispatch_id, dispatches_for, is_red, priority, time_to_last
from geowarn.ports import BulletinDraft, Channel, Delivery, Limits, Message, Receipt, Target

NOW = datetime(2026, 7, 22, 18, 33, tzinfo=UTC)
AREAS = {
    "370600": Area("370600", AreaKind.CITY, "烟台市", "Yantai"),
    "370687": Area("370687", AreaKind.COUNTY, "海阳市", "Haiyang", "370600"),
    "370682": Area("370682", AreaKind.COUNTY, "莱阳市", "Laiyang", "370600"),
    "p1": Area("p1", AreaKind.POINT, "后山", "Back hill", "370687"),
}


@dataclass
class Carrier:
    """A channel of which only name and limits matter here."""

    name: str
    limits: Limits

    def prepare(self, draft: BulletinDraft) -> Message:
        raise AssertionError("nobody asks for this here")

    def send(self, delivery: Delivery, target: Target) -> Receipt:
        raise AssertionError("nobody asks for this here")


def channels(batch: int = 500) -> dict[str, Channel]:
    limits = Limits(("zh", "en"), None, False, batch, 8)
    return {name: Carrier(name, limits) for name in ("website", "sms", "broadcast")}


def person(key: str, area: str, **more: Any) -> Recipient:
    return Recipient(
        key, key, b"", "", area, more.pop("language", "zh"), more.pop("role", "resident"), "c", NOW, **more
    )


def bulletin(levels: dict[str, Level], act: Act = Act.ISSUE, name: str = "b1", files: Iterable[str] = ()) -> Bulletin:
    areas = tuple(AreaLevel(code, level) for code, level in levels.items())
    end = NOW + timedelta(hours=24)
    content = Content(act, Series.REAL, areas, NOW, end, NOW + timedelta(hours=2))
    codes = {level.code for level in levels.values() if level >= Level.YELLOW}
    paths = {f"sms/{code}.{language}.txt" for code in codes for language in ("zh", "en")}
    if paths:
        paths |= {"website/page.zh.html", "broadcast/item.json"}
    artefacts = dict.fromkeys(sorted({*paths, *files}), "0")
    return Bulletin(name, "w", "p", Series.REAL, 2026, 1, "n", "2026-001", NOW, content, "0", {}, artefacts)


def fan_out(
    released: Bulletin, people: Iterable[Recipient], earlier: Iterable[Dispatch] = (), batch: int = 500
) -> tuple[Dispatch, ...]:
    return dispatches_for(
        released,
        channels=channels(batch),
        recipients=people,
        areas=AREAS,
        stations=("tv", "radio"),
        earlier=earlier,
        publish_from=Level.YELLOW,
        release_at=NOW,
    )


def sms(dispatches: Iterable[Dispatch]) -> dict[str, Dispatch]:
    return {d.target_key: d for d in dispatches if d.channel == "sms"}


def accepted(dispatches: Iterable[Dispatch]) -> list[Dispatch]:
    return [replace(d, state=DispatchState.ACCEPTED) for d in dispatches]


def test_every_channel_has_its_targets() -> None:
    found = fan_out(bulletin({"370687": Level.RED}), [person("a", "370687")])
    assert [(d.channel, d.target_key) for d in found] == [
        ("website", "public"),
        ("sms", "a"),
        ("broadcast", "tv"),
        ("broadcast", "radio"),
    ]
    assert all(d.not_after == NOW + timedelta(hours=24) for d in found)
    assert {d.id for d in found} == {dispatch_id("b1", d.channel, d.target_key) for d in found}


def test_highest_level_of_a_number_wins_and_blue_reaches_nobody() -> None:
    people = [person("a", "370682"), person("a", "370687"), person("b", "370682", language="en")]
    found = sms(fan_out(bulletin({"370687": Level.RED, "370682": Level.YELLOW}), people))
    assert {key: d.variant for key, d in found.items()} == {"a": "sms/red.zh.txt", "b": "sms/yellow.en.txt"}
    assert is_red(found["a"])
    assert not is_red(found["b"])
    assert fan_out(bulletin({"370682": Level.BLUE}), people) == ()
    mixed = sms(fan_out(bulletin({"370687": Level.YELLOW, "370682": Level.BLUE}), people))
    assert set(mixed) == {"a"}


def test_people_at_hazard_points_come_first_and_endings_overtake_their_alert() -> None:
    assert priority(Level.RED, 0, False) > priority(Level.RED, 1, False) > priority(Level.RED, 2, False)
    assert priority(Level.RED, 2, False) > priority(Level.ORANGE, 0, ending=True)
    assert priority(Level.RED, 2, ending=True) > priority(Level.RED, 0, False)
    assert priority(Level.YELLOW, 2, False, addressed=False) > priority(Level.RED, 0, ending=True)
    people = [person("a", "370687"), person("b", "p1"), person("c", "370687", role="subscriber")]
    found = sms(fan_out(bulletin({"370687": Level.RED}), people))
    assert found["b"].priority > found["a"].priority > found["c"].priority


def test_a_retraction_reaches_exactly_who_was_told() -> None:
    people = [person("a", "370687"), person("b", "370687"), person("c", "370682", language="en"), person("d", "370682")]
    first = fan_out(bulletin({"370687": Level.RED, "370682": Level.YELLOW}), people)
    states = {"a": DispatchState.DELIVERED, "b": DispatchState.FAILED, "c": DispatchState.IN_DOUBT}
    told = [replace(d, state=states.get(d.target_key, DispatchState.EXPIRED_UNSENT)) for d in first]
    end = bulletin({"370687": Level.RED, "370682": Level.YELLOW}, Act.RETRACT, "b2")
    found = sms(fan_out(end, [*people, person("new", "370687")], told))
    assert {key: d.variant for key, d in found.items()} == {"a": "sms/red.zh.txt", "c": "sms/yellow.en.txt"}


def test_an_ending_may_still_be_told_after_the_end() -> None:
    first = accepted(fan_out(bulletin({"370687": Level.RED}), [person("a", "370687")]))
    late = bulletin({"370687": Level.RED}, Act.LIFT, "b2")
    late = replace(late, content=replace(late.content, expires=NOW - timedelta(hours=1)))
    found = sms(fan_out(late, [], first))
    assert found["a"].not_after == NOW + timedelta(hours=6)


def test_an_update_tells_whose_area_it_no_longer_names_and_only_once() -> None:
    people = [person("a", "370687"), person("b", "370682", language="en")]
    first = accepted(fan_out(bulletin({"370687": Level.RED, "370682": Level.YELLOW}), people))
    ended = ("sms/ended.zh.txt", "sms/ended.en.txt")
    second = bulletin({"370687": Level.ORANGE}, Act.UPDATE, "b2", ended)
    found = sms(fan_out(second, people, first))
    assert {key: d.variant for key, d in found.items()} == {"a": "sms/orange.zh.txt", "b": "sms/ended.en.txt"}
    later = [replace(d, release_at=NOW + timedelta(hours=1)) for d in accepted(found.values())]
    third = bulletin({"370687": Level.RED}, Act.UPDATE, "b3", ended)
    assert set(sms(fan_out(third, people, [*first, *later]))) == {"a"}
    lift = bulletin({"370687": Level.RED}, Act.LIFT, "b4")
    assert set(sms(fan_out(lift, people, [*first, *later]))) == {"a"}
    back = bulletin({"370687": Level.RED}, Act.RETRACT, "b5")
    assert set(sms(fan_out(back, people, [*first, *later]))) == {"a", "b"}


LEVELS = st.dictionaries(st.sampled_from(["370687", "370682", "p1"]), st.sampled_from(list(Level)[1:]), min_size=1)
PEOPLE = st.lists(
    st.builds(
        person,
        st.sampled_from([f"k{n}" for n in range(30)]),
        st.sampled_from(list(AREAS)),
        language=st.sampled_from(["zh", "en"]),
        role=st.sampled_from(["resident", "warden", "subscriber"]),
    ),
    max_size=60,
)


@given(LEVELS, PEOPLE, st.integers(1, 500))
def test_each_target_once_in_bounded_shards(levels: dict[str, Level], people: list[Recipient], batch: int) -> None:
    found = fan_out(bulletin(levels), people, batch=batch)
    keys = [(d.channel, d.target_key) for d in found]
    assert len(set(keys)) == len(keys)
    assert len({d.id for d in found}) == len(found)
    for shard in {d.shard for d in found}:
        rows = [d for d in found if d.shard == shard]
        assert len(rows) <= batch
        assert len({(d.priority, d.tier, d.channel) for d in rows}) == 1
    assert fan_out(bulletin(levels), people, batch=batch) == found
    assert all(d.variant in bulletin(levels).artefacts for d in found)


def test_time_to_the_last_message() -> None:
    people = [person(f"k{n}", "370687") for n in range(30)]
    found = sms(fan_out(bulletin({"370687": Level.RED}), people)).values()
    assert time_to_last(found, 10.0, lambda _: 2) == timedelta(seconds=6)
