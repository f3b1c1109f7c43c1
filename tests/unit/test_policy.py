"""Who must sign: the table, one person one role, and never the last editor alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.people import Role, SignOff
from geowarn.domain.policy import Policy, lacks
from geowarn.domain.votes import CourseRules
from geowarn.domain.warning import Act, AreaLevel, Content, Series
from geowarn.policy_file import load_policy
from geowarn.resources import config_dir

NOW = datetime(2026, 7, 22, 18, tzinfo=UTC)
POLICY = load_policy(config_dir() / "policy.toml", Level.YELLOW)
DUTY, LEADER, CHIEF, SKY = Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF, Role.OBSERVATORY


def content(level: Level, before: Level = Level.NONE, act: Act = Act.ISSUE) -> Content:
    areas = (AreaLevel("1", level, before),)
    return Content(act, Series.REAL, areas, NOW, NOW + timedelta(hours=24), NOW + timedelta(hours=2))


def signature(role: Role, user: str | None = None, digest: str = "d", voided: bool = False) -> SignOff:
    return SignOff(
        f"s-{role}", "p", digest, user or role.value, role, NOW, "console", "127.0.0.1", "none", NOW if voided else None
    )


@pytest.mark.parametrize(
    ("level", "roles"),
    [
        (Level.BLUE, {DUTY}),
        (Level.YELLOW, {DUTY, LEADER, SKY}),
        (Level.ORANGE, {DUTY, LEADER, SKY, CHIEF}),
        (Level.RED, {DUTY, LEADER, SKY, CHIEF}),
    ],
)
def test_the_shipped_policy_is_the_one_designed(level: Level, roles: set[Role]) -> None:
    assert set(POLICY.required(content(level))) == roles


def test_a_downgrade_or_lift_is_signed_as_the_alert_was() -> None:
    assert CHIEF in POLICY.required(content(Level.YELLOW, before=Level.RED, act=Act.UPDATE))
    assert POLICY.required(content(Level.RED, act=Act.RETRACT)) == (DUTY,)


@given(st.sets(st.sampled_from([DUTY, LEADER, CHIEF, SKY])), st.sampled_from([Level.YELLOW, Level.ORANGE, Level.RED]))
def test_release_needs_exactly_the_required_roles(signed: set[Role], level: Level) -> None:
    wanted = content(level)
    missing = lacks(POLICY, wanted, [signature(r) for r in signed], "d", "somebody")
    assert {lack.role for lack in missing} == set(POLICY.required(wanted)) - signed


def test_voided_signatures_and_those_on_other_bytes_do_not_count() -> None:
    for bad in (signature(DUTY, voided=True), signature(DUTY, digest="other")):
        missing = lacks(POLICY, content(Level.BLUE), [bad], "d", "somebody")
        assert [lack.role for lack in missing] == [DUTY]


def test_one_person_counts_for_one_role() -> None:
    both = [signature(role, user="one") for role in (DUTY, LEADER, SKY)]
    assert len(lacks(POLICY, content(Level.YELLOW), both, "d", "somebody")) == 2


def test_the_last_editor_alone_is_not_enough() -> None:
    alone = Policy({Level.BLUE: (DUTY,)}, (DUTY,), Level.YELLOW)
    assert [x.key for x in lacks(alone, content(Level.BLUE), [signature(DUTY, "ed")], "d", "ed")] == ["only-editor"]
    assert not lacks(alone, content(Level.BLUE), [signature(DUTY, "ed")], "d", "system")


def test_two_people_are_enough_even_if_one_edited() -> None:
    for editor in ("duty-officer", "leader", "observatory"):
        signed = [signature(role) for role in (DUTY, LEADER, SKY)]
        assert lacks(POLICY, content(Level.YELLOW), signed, "d", editor) == ()
    for pair in combinations((DUTY, LEADER, SKY), 2):
        assert lacks(POLICY, content(Level.YELLOW), [signature(r) for r in pair], "d", "x")


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("lowering_runs = 1", "course.lowering_runs"),
        ("lowering_runs = 2.5", "course.lowering_runs"),
        ("persistence_hours = -1", "course.persistence_hours"),
        ('silent_hours = "12"', "course.silent_hours"),
        ("lowering = 3", "course.lowering"),
        ("extension_step_hours = true", "course.extension_step_hours"),
        ('sources = "gfs"', "course.sources"),
    ],
)
def test_a_wrong_number_of_the_course_is_refused_by_name(tmp_path: Path, line: str, key: str) -> None:
    shipped = (config_dir() / "policy.toml").read_text("utf-8")
    wrong = tmp_path / "policy.toml"
    wrong.write_text(shipped.split("[course]")[0] + "[course]\n" + line + "\n", "utf-8")
    with pytest.raises(Refused) as refusal:
        load_policy(wrong, Level.YELLOW)
    assert (refusal.value.key, refusal.value.facts["key"]) == ("config.invalid", key)


def test_the_shipped_numbers_are_the_defaults() -> None:
    assert POLICY.course == CourseRules()


def test_the_second_factor_is_asked_for_where_the_file_says_and_by_default_at_orange_and_red(tmp_path: Path) -> None:
    shipped = (config_dir() / "policy.toml").read_text("utf-8")
    own = tmp_path / "policy.toml"

    def asked(line: str) -> set[Level]:
        kept = [text for text in shipped.splitlines() if not text.startswith("second_factor")]
        own.write_text("\n".join([line, *kept]), encoding="utf-8")
        return set(load_policy(own, Level.YELLOW).second_factor)

    assert set(POLICY.second_factor) == {Level.ORANGE, Level.RED}
    assert asked("") == {Level.ORANGE, Level.RED}  # a file from before the key
    assert asked('second_factor = ["yellow", "red"]') == {Level.YELLOW, Level.RED}
    assert asked("second_factor = []") == set()
    for wrong in (
        'second_factor = "red"',
        'second_factor = ["crimson"]',
        "second_factor = [4]",
        "second_factor = true",
    ):
        with pytest.raises(Refused, match="second_factor"):
            asked(wrong)
