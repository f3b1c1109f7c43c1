"""A demo whose clock a test moves: proposals, ticks every few seconds or not at all, and what has become of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.integration.conftest import SettableClock, fresh_code

from geowarn.bootstrap import System
from geowarn.domain.clock import ClockRules, OnSilence
from geowarn.domain.escalation import Pass
from geowarn.domain.exercise import Scenario
from geowarn.domain.level import Level
from geowarn.domain.people import SignOff
from geowarn.domain.policy import Policy
from geowarn.domain.task import Task
from geowarn.domain.warning import Act, Content, Proposal, Series
from geowarn.pipeline.actor import SYSTEM, Actor
from geowarn.pipeline.after_review import sign_after
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.escalation import open_passes, open_task
from geowarn.pipeline.escalation_acts import answered_by_text
from geowarn.pipeline.escalation_advance import advance
from geowarn.pipeline.exercise import permit, start
from geowarn.pipeline.signoff import sign
from geowarn.pipeline.versions import area_levels, open_warning, slots_for, store_version

CHAIN = ["duty", "duty-b", "leader", "chief"]  # as shipped, while the officers of the first shift are on
HAIYANG, QIXIA = "370687", "370686"
Officer = Callable[[str], Actor]


@dataclass
class ClockDesk:
    """One installation at one moment; `policy` is the shipped one or a test's."""

    system: System
    officer: Officer
    clock: SettableClock
    policy: Policy = field(init=False)

    def __post_init__(self) -> None:
        self.policy = self.system.policy

    @property
    def desk(self) -> Desk:
        return replace(self.system.desk, policy=self.policy)

    def release_first_at(self, level: Level) -> None:
        """The policy lets silence release at this level."""
        rules = self.policy.clock
        levels = {**rules.levels, level: replace(rules.of(level), on_silence=OnSilence.RELEASE_FIRST)}
        self.with_clock(replace(rules, levels=levels))

    def with_clock(self, rules: ClockRules) -> None:
        self.policy = replace(self.policy, clock=rules)

    def proposed(self, level: Level, act: Act = Act.ISSUE, editor: str = SYSTEM, **more: Any) -> Proposal:
        """A proposal as the machine makes one from a run, or as a person writes one."""
        now = self.clock.now()
        with self.desk.store.begin() as work:
            areas = area_levels(work, {HAIYANG: level}, {})
            content = Content(
                act=act,
                series=more.pop("series", Series.REAL),
                areas=areas,
                onset=now.replace(minute=0, second=0, microsecond=0),
                expires=now + timedelta(hours=24),
                next_update=self.desk.next_update(now),
                slots=slots_for(self.desk, areas, {}),
                source="forecast",
                synthetic=True,
                **more,
            )
            proposal = open_warning(self.desk, work, content, editor, editor)
            work.commit()
        return proposal

    def becomes(self, proposal: Proposal, levels: Mapping[str, Level]) -> Proposal:
        """The machine's next version with other levels."""
        with self.desk.store.begin() as work:
            areas = area_levels(work, levels, {})
            content = replace(proposal.content, areas=areas, slots=slots_for(self.desk, areas, {}))
            made = store_version(self.desk, work, proposal.warning_id, content, SYSTEM, SYSTEM)
            work.commit()
        return made

    def exercise(self, level: Level) -> Proposal:
        """The version of a running exercise, which a leader has allowed."""
        scenario = Scenario("test", "测试脚本", "a test scenario", {HAIYANG: level}, 24, synthetic=True)
        permit(self.desk, "年度演练计划", self.officer("chief"))
        exercise, _ = start(self.desk, scenario, "演练", 60, self.officer("duty"))
        with self.desk.store.read() as work:
            return work.proposals.of_warning(exercise.warning_id)[0]

    def texts(self, name: str, text: str) -> str | None:
        """What one person's text on the telephone is taken for."""
        with self.desk.store.begin() as work:
            meant = answered_by_text(self.desk, work, self.officer(name).user, text, self.clock.now())
            work.commit()
        return meant

    def signs(self, warning_id: str, name: str) -> SignOff:
        """One person signs, with a code where it is asked for."""
        return sign(self.desk, warning_id, self.officer(name), code=fresh_code(self.system, name))

    def signs_after(self, slug: str, name: str, digest: str | None = None) -> SignOff:
        """One person signs what was released without them."""
        return sign_after(self.desk, slug, self.officer(name), digest, fresh_code(self.system, name))

    def tick(self, **step: float) -> None:
        """Move the clock and let it tick once."""
        self.clock.advance(**step)
        advance(self.desk)

    def run(self, every: timedelta = timedelta(seconds=20), **length: float) -> None:
        """Let the clock tick regularly for so long."""
        end = self.clock.now() + timedelta(**length)
        while self.clock.now() < end:
            self.clock.moment = min(end, self.clock.now() + every)
            advance(self.desk)

    def task(self, subject: str, kind: str = "review") -> Task | None:
        with self.desk.store.read() as work:
            return open_task(work, kind, subject)

    def must_task(self, subject: str, kind: str = "review") -> Task:
        task = self.task(subject, kind)
        assert task is not None
        return task

    def passes(self, subject: str, kind: str = "review") -> tuple[Pass, ...]:
        """What rings now."""
        with self.desk.store.read() as work:
            task = open_task(work, kind, subject)
            return open_passes(work, task.id) if task else ()

    def rung(self, subject: str) -> list[tuple[str, datetime]]:
        """Who has been rung for a subject, in order of time."""
        with self.desk.store.read() as work:
            kinds = work.ledger.entries(subject=subject)
        entries = [(entry, json.loads(entry.payload)) for entry in kinds if entry.kind == "escalation.rung"]
        return [(facts["person"], datetime.fromisoformat(entry.at)) for entry, facts in entries]

    def ledger(self, subject: str, kind: str) -> list[Mapping[str, Any]]:
        with self.desk.store.read() as work:
            return [json.loads(e.payload) for e in work.ledger.entries(subject=subject) if e.kind == kind]

    def loud(self, subject: str, kind: str = "review") -> bool:
        """Whether the task is open, has somebody it waits for, and rings or is in somebody's hands."""
        task = self.task(subject, kind)
        return task is not None and task.owner is not None and bool(self.passes(subject, kind))
