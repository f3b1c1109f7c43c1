"""The engine on a real database: each message once, none late, none held up by another."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import DispatchState, Outcome
from geowarn.domain.errors import OutcomeUnknown, PermanentFailure, TemporaryFailure
from geowarn.domain.level import Level
from geowarn.domain.package import Artefact, Package
from geowarn.domain.recipient import Recipient
from geowarn.domain.warning import Act, AreaLevel, Content, HazardWarning, Proposal, Series, WarningStatus
from geowarn.pipeline.deliver import expire, run_due, send_shard
from geowarn.pipeline.fanout import dispatches_for
from geowarn.pipeline.lane import Lane
from geowarn.pipeline.outcome import Pace, rows_digest
from geowarn.pipeline.receipts import opt_out, record_status
from geowarn.pipeline.reconcile import reconcile
from geowarn.pipeline.told import dispatched
from geowarn.ports import BulletinDraft, Delivery, Limits, Message, Receipt, Target
from geowarn.security import FileVault, create_keys
from geowarn.store.unit_of_work import SqlStore

AREAS = {code: Area(code, AreaKind.COUNTY, code, code) for code in ("red", "yellow")}
PACE = Pace(timeout=timedelta(seconds=2), pause=timedelta(seconds=5))


class FakeClock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 7, 22, 18, 33, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def advance(self, **step: float) -> None:
        self.moment += timedelta(**step)


class FarEnd:
    """An SMS channel whose far end is a list; `script` says what happens to a number."""

    name = "sms"

    def __init__(self, concurrency: int = 8) -> None:
        self.limits = Limits(("zh",), None, False, 500, concurrency)
        self.had: list[tuple[str, str]] = []
        self.script: dict[str, Callable[[], Receipt]] = {}
        self.reachable = True

    def prepare(self, draft: BulletinDraft) -> Message:
        raise AssertionError("nobody asks for this here")

    def send(self, delivery: Delivery, target: Target) -> Receipt:
        act = self.script.get(target.address)
        if act is not None:
            return act()
        return self.accept(target.address, delivery.variant)

    def accept(self, number: str, variant: str = "") -> Receipt:
        self.had.append((number, variant))
        return Receipt(Outcome.ACCEPTED, f"SM{len(self.had)}")

    def look_up(self, delivery: Delivery, target: Target, since: datetime) -> Receipt | None:
        if not self.reachable:
            raise TemporaryFailure("sms.no-connection")
        found = any(number == target.address for number, _ in self.had)
        return Receipt(Outcome.ACCEPTED, "SM-found") if found else None

    def per_number(self) -> Counter[str]:
        return Counter(number for number, _ in self.had)


class City:
    """A store with recipients, and bulletins released straight into it."""

    def __init__(self, folder: Path, url: str) -> None:
        create_keys(folder / "keys")
        self.store, self.vault, self.clock, self.channel = (
            SqlStore(url),
            FileVault(folder / "keys"),
            FakeClock(),
            FarEnd(),
        )
        with self.store.begin() as work:
            work.areas.save_all(AREAS.values())
            work.commit()

    def people(self, count: int, area: str = "red", start: int = 0) -> list[str]:
        numbers = [f"+1202555{index:04d}" for index in range(start, start + count)]
        now = self.clock.now()
        rows = [
            Recipient(f"r{n}", self.vault.key_of(n), self.vault.seal(n), "masked", area, "zh", "resident", "asked", now)
            for n in numbers
        ]
        with self.store.begin() as work:
            work.recipients.add_all(rows)
            work.commit()
        return numbers

    def release(self, levels: dict[str, Level], name: str = "b1", warning: str = "w1", act: Act = Act.ISSUE) -> None:
        now = self.clock.now()
        areas = tuple(AreaLevel(code, level) for code, level in levels.items())
        content = Content(act, Series.REAL, areas, now, now + timedelta(hours=2), now + timedelta(hours=1))
        files = tuple(
            Artefact(f"sms/{level.code}.zh.txt", "text/plain", level.code.encode())
            for level in sorted(set(levels.values()))
        )
        package = Package(content.as_json(), files)
        with self.store.begin() as work:
            if work.warnings.get(warning) is None:
                work.warnings.add(HazardWarning(warning, Series.REAL, WarningStatus.IN_FORCE, now))
            serial = work.bulletins.next_serial(Series.REAL, 2026)
            version = len(work.proposals.of_warning(warning)) + 1
            work.proposals.add(Proposal(f"p-{name}", warning, version, content, package.sha256, "x", now), package)
            bulletin = Bulletin(
                name, warning, f"p-{name}", Series.REAL, 2026, serial, f"{serial}号", f"2026-{serial:03d}", now,
                content, package.sha256, {}, {a.path: a.sha256 for a in files},
            )  # fmt: skip
            earlier = dispatched(work, work.bulletins.of_warning(warning))
            work.bulletins.add(bulletin, files)
            work.dispatches.add_all(
                dispatches_for(
                    bulletin,
                    channels={"sms": self.channel},
                    recipients=work.recipients.all(),
                    areas=AREAS,
                    stations=(),
                    earlier=earlier,
                    publish_from=Level.YELLOW,
                    release_at=now,
                )
            )
            work.commit()

    def lane(self) -> Lane:
        return Lane(self.store, self.channel, self.vault, self.clock, "me", PACE)

    def drain(self) -> None:
        lane = self.lane()
        lane.drain()
        lane.close()

    def reconcile(self) -> int:
        return reconcile(self.store, self.channel, self.vault, self.clock, PACE)

    def states(self, name: str = "b1") -> dict[DispatchState, int]:
        with self.store.read() as work:
            return work.dispatches.counts(name).get("sms", {})

    def state_of(self, number: str, name: str = "b1") -> DispatchState:
        key = self.vault.key_of(number)
        with self.store.read() as work:
            return next(d.state for d in work.dispatches.of_bulletin(name) if d.target_key == key)


@pytest.fixture
def city(tmp_path: Path, database_url: str) -> Iterator[City]:
    made = City(tmp_path, database_url)
    yield made
    made.store.dispose()


def test_every_number_has_it_once_and_every_row_can_be_proved(city: City) -> None:
    numbers = city.people(700)
    city.release({"red": Level.RED})
    city.drain()
    city.drain()
    assert city.channel.per_number() == Counter(numbers)
    assert city.states() == {DispatchState.ACCEPTED: 700}
    with city.store.read() as work:
        attempts = work.dispatches.attempts("b1")
        entries = [e for e in work.ledger.entries() if e.kind == "dispatch.results"]
    assert len(entries) < 60
    named: list[str] = []
    for entry in entries:
        payload = json.loads(entry.payload)
        named += payload["dispatches"]
        rows = [a for a in attempts if a.dispatch_id in payload["dispatches"]]
        assert rows_digest(rows) == payload["attempts_sha256"]
        assert "+1202" not in entry.payload
    assert sorted(named) == sorted(a.dispatch_id for a in attempts)


def test_two_workers_share_without_a_repeat(city: City) -> None:
    numbers = city.people(600)
    city.release({"red": Level.RED})
    threads = [threading.Thread(target=city.drain) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert city.channel.per_number() == Counter(numbers)


def test_a_shard_sent_again_sends_nothing(city: City) -> None:
    numbers = city.people(20)
    city.release({"red": Level.RED})
    with city.store.read() as work:
        shard = work.dispatches.due_shards(city.clock.now())[0].shard
    for _ in range(2):
        send_shard(city.store, city.channel, city.vault, city.clock, "me", shard, PACE)
    assert city.channel.per_number() == Counter(numbers)


def fails(failure: Exception) -> Callable[[], Receipt]:
    def act() -> Receipt:
        raise failure

    return act


def test_a_temporary_failure_comes_back_until_its_time_is_over(city: City) -> None:
    numbers = city.people(3)
    city.channel.script[numbers[0]] = fails(TemporaryFailure("sms.busy", code="429"))
    city.release({"red": Level.RED})
    for _ in range(8):
        city.drain()
        city.clock.advance(minutes=6)
    assert city.state_of(numbers[0]) is DispatchState.NEW
    del city.channel.script[numbers[0]]
    city.drain()
    assert city.states() == {DispatchState.ACCEPTED: 3}


def test_nothing_is_sent_after_its_time(city: City) -> None:
    city.people(5)
    city.release({"red": Level.RED})
    city.clock.advance(hours=2)
    city.drain()
    assert expire(city.store, city.clock) == 5
    assert city.channel.had == []
    assert city.states() == {DispatchState.EXPIRED_UNSENT: 5}


def test_a_lost_answer_is_asked_about_before_anything_is_sent_again(city: City) -> None:
    had, had_not, gone = city.people(3)

    def accept_then_lose() -> Receipt:
        city.channel.accept(had)
        raise OutcomeUnknown("sms.no-answer", code="500")

    city.channel.script[had] = accept_then_lose
    city.channel.script[had_not] = fails(OutcomeUnknown("sms.no-answer", code="500"))
    city.channel.script[gone] = fails(PermanentFailure("sms.invalid-number", code="21211"))
    city.release({"red": Level.RED})
    city.drain()
    assert city.states() == {DispatchState.IN_DOUBT: 2, DispatchState.FAILED: 1}
    assert city.reconcile() == 0  # the far end gets a moment to list it
    city.clock.advance(seconds=3)
    city.channel.script.clear()
    assert city.reconcile() == 2
    city.drain()
    assert city.channel.per_number() == Counter([had, had_not])
    assert city.states() == {DispatchState.ACCEPTED: 2, DispatchState.FAILED: 1}


@pytest.mark.parametrize(("level", "sent"), [(Level.RED, 1), (Level.YELLOW, 0)])
def test_a_far_end_that_cannot_be_asked(city: City, level: Level, sent: int) -> None:
    """Red: a duplicate beats silence, but only after asking; below red it stays in doubt."""
    (number,) = city.people(1)
    city.channel.script[number] = fails(OutcomeUnknown("sms.no-answer"))
    city.channel.reachable = False
    city.release({"red": level})
    city.drain()
    city.channel.script.clear()
    for _ in range(5):
        city.clock.advance(seconds=40)
        city.reconcile()
    city.drain()
    assert len(city.channel.had) == sent
    assert city.states() == {DispatchState.ACCEPTED if sent else DispatchState.IN_DOUBT: 1}


def test_whoever_may_have_had_a_message_that_is_sent_again_hears_of_its_retraction(city: City) -> None:
    """House rule 7: the first try may have arrived, and the second was overtaken before it left."""
    doubtful, never, busy = city.people(3)
    unknown = fails(OutcomeUnknown("sms.no-answer"))
    city.channel.script = {doubtful: unknown, never: unknown, busy: fails(TemporaryFailure("sms.busy"))}
    city.release({"red": Level.RED})
    city.drain()
    city.clock.advance(seconds=PACE.silence.total_seconds() + 1)
    asked: list[str] = []

    def answer(delivery: Delivery, target: Target, since: datetime) -> Receipt | None:
        asked.append(target.address)
        if target.address == never:
            return None  # the far end says that it never had it
        raise TemporaryFailure("sms.no-connection")

    city.channel.look_up = answer  # type: ignore[method-assign]
    city.reconcile()
    assert sorted(asked) == sorted([doubtful, never])
    assert city.states() == {DispatchState.NEW: 3}
    city.release({"red": Level.RED}, "b2", act=Act.RETRACT)
    with city.store.read() as work:
        told = [row.target_key for row in work.dispatches.of_bulletin("b2")]
    assert told == [city.vault.key_of(doubtful)]


def test_a_claim_left_behind_is_asked_about_and_sent_on(city: City) -> None:
    numbers = city.people(10)
    city.release({"red": Level.RED})
    with city.store.begin() as work:
        shard = work.dispatches.due_shards(city.clock.now())[0].shard
        now = city.clock.now()
        lost = work.dispatches.claim(shard, "dead/1", now, now + PACE.lease, 4)
        work.commit()
    reached = {city.vault.key_of(n): n for n in numbers}
    city.channel.accept(reached[lost[0].target_key])
    city.drain()
    city.clock.advance(seconds=30)
    run_due(city.store, [city.channel], city.vault, city.clock, "me", PACE)
    assert city.channel.per_number() == Counter(numbers)


def test_red_overtakes_yellow_between_two_claims(city: City) -> None:
    city.people(400, "yellow")
    red = city.people(40, "red", start=5000)
    city.release({"yellow": Level.YELLOW}, "b1", "w1")
    lane = city.lane()
    lane.step()
    city.release({"red": Level.RED}, "b2", "w2")
    time.sleep(0.3)  # the lane looks for due shards a few times a second
    lane.drain()
    lane.close()
    order = [variant for _, variant in city.channel.had]
    assert len(order) == 440
    assert order.index("sms/red.zh.txt") < 100
    last_red = max(i for i, variant in enumerate(order) if variant == "sms/red.zh.txt")
    assert "sms/yellow.zh.txt" in order[last_red:]
    assert len(red) == 40


def test_a_target_that_hangs_delays_no_other(city: City) -> None:
    numbers = city.people(200)
    release = threading.Event()

    def hang() -> Receipt:
        release.wait(10)
        return city.channel.accept(numbers[0])

    city.channel.script[numbers[0]] = hang
    city.release({"red": Level.RED})
    lane = city.lane()
    while len(city.channel.had) < 199:
        lane.step()
    assert city.channel.per_number()[numbers[0]] == 0
    release.set()
    lane.drain()
    lane.close()
    assert city.states() == {DispatchState.ACCEPTED: 200}


def test_what_a_later_bulletin_has_overtaken_is_not_sent(city: City) -> None:
    numbers = city.people(4)
    city.channel.script = {number: fails(TemporaryFailure("sms.busy")) for number in numbers}
    city.release({"red": Level.RED})
    city.drain()
    city.channel.script.clear()
    city.release({"red": Level.ORANGE}, "b2", act=Act.UPDATE)
    city.clock.advance(minutes=1)
    city.drain()
    assert {variant for _, variant in city.channel.had} == {"sms/orange.zh.txt"}
    assert city.states() == {DispatchState.EXPIRED_UNSENT: 4}


def test_a_report_may_be_quicker_than_the_answer(city: City) -> None:
    (number,) = city.people(1)
    city.release({"red": Level.RED})
    with city.store.read() as work:
        (row,) = work.dispatches.of_bulletin("b1")

    def report_first() -> Receipt:
        record_status(city.store, city.clock, "sms", row.id, "SM1", "delivered", "")
        return city.channel.accept(number)

    city.channel.script[number] = report_first
    city.drain()
    assert city.states() == {DispatchState.DELIVERED: 1}
    assert not record_status(city.store, city.clock, "sms", row.id, "SM1", "sent", "")
    assert city.states() == {DispatchState.DELIVERED: 1}


def test_reports_that_come_together_are_stored_together(city: City) -> None:
    city.people(60)
    city.release({"red": Level.RED})
    city.drain()
    with city.store.read() as work:
        rows = work.dispatches.of_bulletin("b1")
    with ThreadPoolExecutor(30) as pool:
        told = list(
            pool.map(
                lambda row: record_status(
                    city.store, city.clock, "sms", row.id, row.provider_id or "", "delivered", ""
                ),
                rows,
            )
        )
    assert all(told)
    assert city.states() == {DispatchState.DELIVERED: 60}
    with city.store.read() as work:
        kinds = Counter(entry.kind for entry in work.ledger.entries())
    assert kinds["dispatch.reported"] < 20


def test_who_opted_out_since_release_gets_nothing(city: City) -> None:
    first, second = city.people(2)
    city.release({"red": Level.RED})
    assert opt_out(city.store, city.vault, city.clock, first, "退订")
    assert not opt_out(city.store, city.vault, city.clock, second, "谢谢")
    city.drain()
    assert city.channel.per_number() == Counter([second])
    assert city.state_of(first) is DispatchState.FAILED


def test_a_fault_every_message_would_meet_stops_the_lane_and_calls_an_operator(city: City) -> None:
    numbers = city.people(300)
    city.channel.script = {n: fails(TemporaryFailure("sms.credentials", code="20003", alarm=True)) for n in numbers}
    city.release({"red": Level.RED})
    city.drain()
    with city.store.read() as work:
        tasks = [(task.kind, task.subject, task.facts["reason"]) for task in work.tasks.pending()]
        tried = len(work.dispatches.attempts("b1"))
    assert tasks == [("channel-fault", "sms", "sms.credentials 20003")]
    assert tried < 300
    city.channel.script.clear()
    city.clock.advance(minutes=1)
    city.drain()
    assert city.channel.per_number() == Counter(numbers)


def test_a_fault_in_a_channel_neither_loses_nor_repeats(city: City) -> None:
    (number,) = city.people(1)
    city.channel.script[number] = fails(ZeroDivisionError())
    city.release({"red": Level.RED})
    city.drain()
    assert city.states() == {DispatchState.IN_DOUBT: 1}
    city.channel.script.clear()
    city.clock.advance(minutes=1)
    city.reconcile()
    city.drain()
    assert city.channel.per_number() == Counter([number])
