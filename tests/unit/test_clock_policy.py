"""`[clock]` of policy.toml: the shipped numbers are the defaults, and every wrong one is refused by its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest

import geowarn
from geowarn.domain.clock import AFTER_REVIEW, ClockRules, EndOfChain, OnSilence
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.domain.task import KINDS
from geowarn.pipeline.course_acts import ALL_CLEAR_DUE, LEVELS_MOVED
from geowarn.pipeline.escalation import REVIEW
from geowarn.policy_file import load_policy
from geowarn.resources import config_dir

SHIPPED = (config_dir() / "policy.toml").read_text("utf-8")


def load(tmp_path: Path, clock: str) -> ClockRules:
    file = tmp_path / "policy.toml"
    file.write_text(SHIPPED.split("[course]")[0] + clock, "utf-8")
    return load_policy(file, Level.YELLOW).clock


def test_the_shipped_numbers_are_the_defaults_and_an_older_policy_has_them(tmp_path: Path) -> None:
    shipped = load_policy(config_dir() / "policy.toml", Level.YELLOW).clock
    assert shipped == ClockRules() == load(tmp_path, "")


def opened_kinds() -> Iterator[str]:
    """The kinds of task that the program opens, as its code writes them: a word, or a constant of the module."""
    for path in Path(geowarn.__file__).parent.rglob("*.py"):
        code = path.read_text("utf-8")
        yield from re.findall(r'(?:\bTask\([^,]*,|raise_alarm\(work,)\s*"([a-z-]+)"', code)
        for name in re.findall(r"\bTask\([^,]*,\s*([A-Z_]+)\b", code):
            parts = path.relative_to(Path(geowarn.__file__).parent.parent).with_suffix("").parts
            yield getattr(import_module(".".join(parts)), name)


def test_every_kind_of_task_may_be_named_as_ringing() -> None:
    """All that the program opens, but the reviews, which ring by their level."""
    opened = {*opened_kinds(), LEVELS_MOVED, ALL_CLEAR_DUE}
    assert {"no-forecast", "extend-or-lift", "channel-fault", "roster-fault", "unreachable", "review"} <= opened
    assert opened - {REVIEW, AFTER_REVIEW} <= set(KINDS)
    assert set(KINDS) >= ClockRules().kinds


def test_nothing_is_released_before_its_review_as_shipped() -> None:
    rules = ClockRules()
    assert {rule.on_silence for rule in (*rules.levels.values(), rules.tasks)} == {OnSilence.TASK}


def test_higher_levels_leave_less_time() -> None:
    rules = [ClockRules().of(level) for level in (Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED)]
    for looser, stricter in pairwise(rules):
        assert stricter.acknowledge < looser.acknowledge
        assert all(stricter.decide[step] < looser.decide[step] for step in stricter.decide)


def test_what_is_written_counts_and_the_rest_stays(tmp_path: Path) -> None:
    rules = load(
        tmp_path,
        '[clock.red]\non_silence = "release-first"\nacknowledge_minutes = 2\ndecide_minutes = { chief = 4 }\n'
        'chain = ["duty-officer", "chief"]\nend_of_chain = "round"\n[clock.stand_in]\nleader = ["a", "b"]\n',
    )
    red = rules.of(Level.RED)
    assert (red.on_silence, red.acknowledge) == (OnSilence.RELEASE_FIRST, timedelta(minutes=2))
    assert red.time_for("chief") == timedelta(minutes=4)
    assert red.time_for("leader") == timedelta(minutes=10)
    assert (red.chain, red.end_of_chain) == (("duty-officer", "chief"), EndOfChain.ROUND)
    assert rules.stand_in == {Role.LEADER: ("a", "b")}
    assert rules.of(Level.ORANGE) == ClockRules().of(Level.ORANGE)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("[clock.violet]", "clock.violet", "blue"),
        ("[clock.red]\nacknowledge_minutes = 0", "clock.red.acknowledge_minutes", "0"),
        ("[clock.red]\nacknowledge_minutes = true", "clock.red.acknowledge_minutes", "True"),
        ('[clock.red]\nagain_minutes = "5"', "clock.red.again_minutes", "'5'"),
        ("[clock.red]\nafter_review_minutes = 100000", "clock.red.after_review_minutes", "100000"),
        ("[clock.red]\ndecide_minutes = { mayor = 5 }", "clock.red.decide_minutes", "'mayor'"),
        ("[clock.red]\ndecide_minutes = { chief = -1 }", "clock.red.decide_minutes", "-1"),
        ("[clock.red]\nchain = []", "clock.red.chain", "[]"),
        ('[clock.red]\nchain = ["duty-officer", "duty-officer"]', "clock.red.chain", "duty-officer"),
        ('[clock.red]\nchain = ["auditor"]', "clock.red.chain", "auditor"),
        ('[clock.red]\nend_of_chain = "stop"', "clock.red.end_of_chain", "stop"),
        ('[clock.red]\non_silence = "release"', "clock.red.on_silence", "release"),
        ('[clock.yellow]\non_silence = "release-first"', "clock.yellow.on_silence", "release-first"),
        ('[clock.tasks]\non_silence = "release-first"', "clock.tasks.on_silence", "release-first"),
        ('[clock.tasks]\nkinds = "review"', "clock.tasks.kinds", "review"),
        ("[clock.red]\nhurry = 1", "clock.red.hurry", "acknowledge_minutes"),
        ('[clock.stand_in]\nduty-officer = ["a"]', "clock.stand_in.duty-officer", "leader"),
        ('[clock.stand_in]\nleader = "a"', "clock.stand_in.leader", "'a'"),
        ("[clock]\nred = 5", "clock.red", "5"),
    ],
)
def test_a_wrong_value_is_refused_by_file_key_and_value(tmp_path: Path, text: str, key: str, value: str) -> None:
    with pytest.raises(Refused) as refusal:
        load(tmp_path, text + "\n")
    facts = refusal.value.facts
    assert (refusal.value.key, facts["file"], facts["key"]) == ("config.invalid", "policy.toml", key)
    assert value in str(facts["reason"])
