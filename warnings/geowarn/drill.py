"""Plays a whole exercise: scenario, signatures, release to the test targets, its end, and what it showed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from geowarn.bootstrap import System
from geowarn.demo.run import far_end, stations_poll
from geowarn.demo.setting import put_on_duty
from geowarn.domain.dispatch import UNREPORTED, DispatchState
from geowarn.domain.errors import Refused
from geowarn.domain.exercise import TYPED, Exercise, Scenario
from geowarn.domain.people import Role, User
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.exercise import start
from geowarn.pipeline.exercise_end import finish, keep_exercise
from geowarn.pipeline.exercise_guard import Confirmation
from geowarn.pipeline.exercise_report import Report, report_of
from geowarn.pipeline.liveness import worker_alive
from geowarn.pipeline.release import release
from geowarn.pipeline.signoff import on_shift, sign
from geowarn.serving import running

PATIENCE_SECONDS = 120.0
_STEP_SECONDS = 0.2
_OPEN = frozenset({DispatchState.NEW, DispatchState.SENDING, DispatchState.IN_DOUBT})


def cast_of(system: System, names: tuple[str, ...]) -> tuple[User, ...]:
    """Who plays the officers: those named; in an installation on synthetic input, else everyone who is there.

    Raises Refused where nobody was named and the people are real: nothing signs for a person who was not asked.
    """
    with system.store.read() as work:
        known = {user.name: user for user in work.users.all() if user.active}
    if not names and not system.settings.installation.synthetic:
        raise Refused("exercise.only-synthetic")
    missing = [name for name in names if name not in known]
    if missing:
        raise Refused("people.unknown-user", user=missing[0])
    return tuple(known[name] for name in names) if names else tuple(known.values())


def director_of(system: System, cast: tuple[User, ...]) -> User:
    """Who directs: the first of the cast who is on duty, else the first duty officer."""
    with system.store.read() as work:
        now = system.clock.now()
        found = [user for user in cast if Role.DUTY_OFFICER in user.roles]
        found.sort(key=lambda user: not on_shift(work, user, now))
    if not found:
        raise Refused("exercise.nobody-for", role=Role.DUTY_OFFICER.value)
    return found[0]


@contextmanager
def surroundings(system: System) -> Iterator[None]:
    """What an exercise needs around it: with a service running, nothing; a demo brings all of its own."""
    with system.store.read() as work:
        served = worker_alive(work, system.clock.now())
    with ExitStack() as stack:
        if not served:
            parts = {"worker"}
            if system.settings.installation.synthetic:
                stack.enter_context(far_end(system))
                parts.add("web")  # the pages are read back
            stack.enter_context(
                running(system, "127.0.0.1", urlsplit(system.settings.site.public_url).port or 80, parts)
            )
        yield


def prepare(system: System) -> None:
    """A demo has somebody on duty whenever it is opened."""
    if system.settings.installation.synthetic:
        put_on_duty(system)


def begin(system: System, scenario: Scenario, typed: str, minutes: int, director: Actor) -> tuple[Exercise, str]:
    """Start the exercise; returns it and its code."""
    return start(system.desk, scenario, typed, minutes, director)


def play(system: System, exercise: Exercise, code: str, cast: tuple[User, ...], director: Actor) -> None:
    """Sign, release, wait until everything is settled, end it, and wait for the notice; raises what a step refuses."""
    given = Confirmation(TYPED[0], code)
    with system.store.read() as work:
        content = work.proposals.of_warning(exercise.warning_id)[0].content
    for role in system.policy.required(content):
        actor = _actor(system, cast, role)
        sign(system.desk, exercise.warning_id, actor, confirmation=given)
    release(system.desk, exercise.warning_id, director, confirmation=given)
    if system.settings.installation.synthetic:
        stations_poll(system)
    _settle(system, exercise)
    finish(system.desk, director)
    _settle(system, exercise)


def _actor(system: System, cast: tuple[User, ...], role: Role) -> Actor:
    with system.store.read() as work:
        now = system.clock.now()
        able = [user for user in cast if role in user.roles]
        if role is Role.DUTY_OFFICER:
            able = [user for user in able if on_shift(work, user, now)]
    if not able:
        raise Refused("exercise.nobody-for", role=role.value)
    return Actor(able[0], "command line", "drill")


def _settle(system: System, exercise: Exercise) -> None:
    """Wait until nothing of the exercise will be sent any more and the stations have fetched it, or patience ends."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and _open(system, exercise):
        time.sleep(_STEP_SECONDS)


def _open(system: System, exercise: Exercise) -> bool:
    with system.store.read() as work:
        chain = work.bulletins.of_warning(exercise.warning_id)
        groups = [group for bulletin in chain[-1:] for group in work.dispatches.groups(bulletin.id)]
    return any(
        group.state in _OPEN or (group.state is DispatchState.ACCEPTED and group.channel not in UNREPORTED)
        for group in groups
    )


def watch(system: System, exercise: Exercise, stop: threading.Event) -> None:
    """Wait until people have ended the exercise, its time is over, or we are told to stop."""
    while not stop.wait(_STEP_SECONDS):
        keep_exercise(system.desk)
        with system.store.read() as work:
            if work.exercises.running() is None:
                return


def report(system: System, exercise: Exercise) -> Report:
    """What it showed."""
    with system.store.read() as work:
        held = work.exercises.get(exercise.id)
        return report_of(work, held or exercise)
