"""Who gets which mail: areas and levels as subscribed to, every change to whoever was told, exercises kept apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_deliver_fanout import AREAS, NOW, Carrier, accepted, bulletin

from geowarn.domain.area import Area, AreaKind, ancestors
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import Dispatch, DispatchState
from geowarn.domain.exercise import trial_targets
from geowarn.domain.level import Level
from geowarn.domain.subscriber import MailTarget, Reach, Wish, mail_address, mail_texts, mask_address
from geowarn.domain.warning import Act, Series
from geowarn.pipeline.fanout import dispatches_for
from geowarn.ports import Limits

FILES = [
    f"mail/{code}.{lang}.{kind}" for code in ("red", "yellow") for lang in ("zh", "en") for kind in ("txt", "html")
]
ENDED = [f"mail/ended.{lang}.{kind}" for lang in ("zh", "en") for kind in ("txt", "html")]
HAIYANG, LAIYANG = "370687", "370682"
LIMITS = Limits(("zh", "en"), None, False, 500, 4, exercises=True)


def reader(key: str, areas: Iterable[str] = (), least: Level = Level.YELLOW, language: str = "zh") -> MailTarget:
    return MailTarget(key, Wish(language, tuple(areas), least), 2)


def fan_out(released: Bulletin, targets: Iterable[MailTarget], earlier: Iterable[Dispatch] = ()) -> dict[str, str]:
    rows = dispatches_for(
        released,
        channels={"mail": Carrier("mail", LIMITS)},
        recipients=(),
        areas=AREAS,
        stations=(),
        earlier=earlier,
        publish_from=Level.YELLOW,
        release_at=NOW,
        mailing=targets,
    )
    assert len({row.id for row in rows}) == len(rows)
    return {row.target_key: row.variant.removeprefix("mail/").removesuffix(".txt") for row in rows}


def mailed(name: str, *pairs: tuple[str, str]) -> list[Dispatch]:
    return [
        Dispatch(f"{name}{key}", name, "mail", key, f"mail/{text}.txt", 2, "s", 1, NOW, NOW, DispatchState.ACCEPTED)
        for key, text in pairs
    ]


def test_areas_and_levels_as_they_were_subscribed_to() -> None:
    found = fan_out(
        bulletin({HAIYANG: Level.RED, LAIYANG: Level.YELLOW}, files=FILES),
        [
            reader("all"),
            reader("here", [LAIYANG], language="en"),
            reader("both", [LAIYANG, HAIYANG]),
            reader("inside", ["p1"]),  # a hazard point in Haiyang
            reader("city", ["370600"]),  # holds both
            reader("red only", [LAIYANG], Level.RED),
            reader("elsewhere", ["370612"]),
        ],
    )
    assert found == {
        "all": "red.zh", "here": "yellow.en", "both": "red.zh", "inside": "red.zh", "city": "red.zh"
    }  # fmt: skip
    assert fan_out(bulletin({LAIYANG: Level.BLUE}), [reader("all", least=Level.BLUE)]) == {}


def test_whoever_was_told_hears_of_every_change() -> None:
    told = mailed("b0", ("left", "red.zh"), ("lower", "red.en"), ("stays", "yellow.zh"))
    update = bulletin({LAIYANG: Level.YELLOW}, Act.UPDATE, "b1", [*FILES, *ENDED])
    targets = [
        reader("left", [HAIYANG]),
        reader("lower", [LAIYANG], Level.RED, "en"),
        reader("stays", [LAIYANG]),
        reader("new", [LAIYANG]),
        reader("never", [HAIYANG]),
    ]
    found = fan_out(update, targets, told)
    assert found == {"left": "ended.zh", "lower": "yellow.en", "stays": "yellow.zh", "new": "yellow.zh"}
    after = [*told, *mailed("b1", *((key, text) for key, text in found.items()))]
    after = [replace(row, release_at=NOW.replace(hour=19)) if row.bulletin_id == "b1" else row for row in after]
    again = fan_out(bulletin({LAIYANG: Level.RED}, Act.UPDATE, "b2", [*FILES, *ENDED]), targets, after)
    assert again == {"lower": "red.en", "stays": "red.zh", "new": "red.zh"}  # not told twice that it ended
    for act in (Act.LIFT, Act.CANCEL, Act.RETRACT):
        last = fan_out(bulletin({LAIYANG: Level.YELLOW}, act, "b3", FILES), targets, after)
        assert set(last) == {"lower", "stays", "new"} | ({"left"} if act is Act.RETRACT else set())
        assert last["lower"] == "yellow.en"
    same = fan_out(bulletin({LAIYANG: Level.YELLOW}, Act.UPDATE, "b1", FILES), targets, told)
    assert set(same) == {
        "lower",
        "stays",
        "new",
    }  # lets nobody go, so has no text for "left"
    gone = fan_out(bulletin({LAIYANG: Level.YELLOW}, Act.LIFT, "b3", FILES), targets[1:2], after)
    assert set(gone) == {"lower"}  # whoever has left is told nothing more


def test_a_number_told_by_sms_was_told_nothing_by_mail() -> None:
    earlier = accepted([replace(row, channel="sms") for row in mailed("b0", ("a", "red.zh"))])
    assert fan_out(bulletin({LAIYANG: Level.YELLOW}, Act.LIFT, "b1", FILES), [reader("a")], earlier) == {}


kinds = st.lists(
    st.builds(
        lambda key, group, trial: MailTarget(f"t{key}", Wish("zh"), 1, group, trial or group),
        st.integers(0, 9),
        st.booleans(),
        st.booleans(),
    ),
    unique_by=lambda target: target.key,
)


@given(kinds, st.sampled_from(list(Act)))
def test_an_exercise_goes_to_tests_only_and_nothing_real_to_the_group(targets: list[MailTarget], act: Act) -> None:
    """House rule 10, the first of three places."""
    told = mailed("b0", *((target.key, "red.zh") for target in targets))
    real = bulletin({HAIYANG: Level.RED}, act, "b1", FILES)
    played = replace(real, series=Series.EXERCISE, content=replace(real.content, series=Series.EXERCISE))
    assert set(fan_out(played, targets, told)) == {target.key for target in targets if target.trial}
    assert set(fan_out(real, targets, told)) == {target.key for target in targets if not target.group}


def test_a_mailbox_is_a_test_only_where_it_says_so() -> None:
    boxes = {"a": {"live": False}, "b": {"live": True}, "c": {}}
    assert trial_targets({"channels": {"mailboxes": boxes}}) == {("mail", "a")}


@given(st.sets(st.sampled_from([*AREAS, "gone"])), st.dictionaries(st.sampled_from([*AREAS]), st.sampled_from(Level)))
def test_a_level_reaches_by_what_is_wanted_and_is_never_more_than_the_highest(
    areas: set[str], levels: dict[str, Level]
) -> None:
    reach = Reach(levels, AREAS)
    highest = max(levels.values(), default=Level.NONE)
    meeting = (
        level
        for code, level in levels.items()
        for area in areas
        if area in ancestors(code, AREAS) or code in ancestors(area, AREAS)
    )
    assert reach.level(areas) == (max(meeting, default=Level.NONE) if areas else highest)
    assert reach.level(()) == highest


class Asked(dict[str, Area]):
    """Areas that count how often one of them is looked up."""

    times = 0

    def __getitem__(self, code: str) -> Area:
        self.times += 1
        return super().__getitem__(code)


def test_the_cost_of_a_bulletin_grows_with_its_places_and_not_with_places_times_subscribers() -> None:
    """It is worked out within the releasing transaction."""
    known = Asked({"370600": AREAS["370600"]})
    for number in range(100):
        known[f"c{number}"] = Area(f"c{number}", AreaKind.COUNTY, "县", "County", "370600")
    levels = {code: Level.RED for code in known if code != "370600"}
    targets = [reader(f"r{number}", [f"c{number % 100}"]) for number in range(1000)]
    assert len(mail_texts(targets, levels, (), known)) == 1000
    assert known.times <= 5 * len(known)


GOOD = {
    " a@b.example ": "a@b.example",
    "Wang.Li+geo@Example.ORG": "Wang.Li+geo@example.org",
    "a@münchen.example": "a@xn--mnchen-3ya.example",
    "o'neil@x-y.example": "o'neil@x-y.example",
}
BAD = [
    "", "a", "a@", "@b.example", "a@b", "a b@c.example", "a@b..example", ".a@b.example", "a.@b.example", "a@-b.example",
    '"a b"@c.example', "a@[127.0.0.1]", "a@b.example\nBcc: c@d.example", "a@b.exa\tmple", "<a@b.example>", "a@b.123",
    "王@b.example", f"{'a' * 65}@b.example", f"a@{'b.' * 130}example", "a,b@c.example", "a@b.example,c@d.example",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_what_no_server_would_take_is_no_address(text: str) -> None:
    assert mail_address(text) is None


def test_an_address_is_kept_as_it_is_sent_to_and_shown_masked() -> None:
    assert {text: mail_address(text) for text in GOOD} == GOOD
    assert mask_address("wang.li@example.org") == "w***@e***.org"


@given(st.text(max_size=60))
def test_whatever_is_typed_is_an_address_on_one_line_or_none(text: str) -> None:
    address = mail_address(text)
    if address is not None:
        assert address.isascii()
        assert address.isprintable()
        assert address.count("@") == 1
        assert not set(address) & set(' <>,;:"()[]\\')
        assert mail_address(address) == address
