"""A store with areas, a register and bulletins, on which calls go out and time passes; no installation around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import event
from tests.conftest import NOON, FakeClock
from tests.contract.store_rows import bulletin as bulletin_row
from tests.contract.store_rows import content, frozen, package_of, proposal, warning

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.calls import Call, CallAsk, CallKind, CallRules, CallState, Contact
from geowarn.domain.level import Level
from geowarn.domain.notice import Notice
from geowarn.domain.people import Role, Shift, User
from geowarn.domain.policy import Policy
from geowarn.domain.task import Task
from geowarn.domain.warning import Act, AreaLevel, Series
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.calls import call_out
from geowarn.pipeline.calls_advance import advance_calls
from geowarn.pipeline.desk import Desk
from geowarn.ports import Store, Vault
from geowarn.store.unit_of_work import SqlStore

CITY, HAIYANG, LAIYANG, TOWN, POINT = "370600", "370687", "370682", "370687100", "hp-1"
AREAS = (
    Area(CITY, AreaKind.CITY, "烟台市", "Yantai"),
    Area(HAIYANG, AreaKind.COUNTY, "海阳市", "Haiyang", parent=CITY),
    Area(LAIYANG, AreaKind.COUNTY, "莱阳市", "Laiyang", parent=CITY),
    Area(TOWN, AreaKind.TOWNSHIP, "留格庄镇", "Liugezhuang", parent=HAIYANG),
    Area(POINT, AreaKind.POINT, "七号点", "Point 7", parent=TOWN),
)
COUNTIES = {HAIYANG: HAIYANG, TOWN: HAIYANG, POINT: HAIYANG, LAIYANG: LAIYANG}


def number_of(place: str, number: int) -> str:
    """A number valid in form and assigned to nobody."""
    return f"+1209555{100 + sum(map(ord, place)) % 10 * 10 + number:04d}"


def texts_leave(store: Store, now: datetime, most: int = 1000) -> list[Notice]:
    """The lane begins to send what waits."""
    with store.begin() as work:
        sent = work.notices.claim("lane", now, now + timedelta(seconds=40), most)
        work.commit()
    return list(sent)


@dataclass
class CallsBench:
    """`contacts` by place: kind, area, how many."""

    store: SqlStore
    vault: Vault
    clock: FakeClock = field(default_factory=FakeClock)
    rules: CallRules = field(default_factory=CallRules)
    serial: int = 0
    chain: dict[str, list[Bulletin]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.store.begin() as work:
            work.areas.save_all(AREAS)
            work.commit()

    def desk(self, store: Store | None = None) -> Desk:
        """A process that has just started: it knows nothing but the tables."""
        policy = Policy({}, (), Level.YELLOW, calls=self.rules)
        facts: dict[str, dict[str, Any]] = {"issuer": {"duty_phone": "0535-1"}, "installation": {"zone": "UTC"}}
        return Desk(store or self.store, self.clock, {}, policy, facts, {}, self.vault)

    def on_duty(self) -> Actor:
        """The officer whose shift it is, at the console."""
        user = User("duty", "值班员", "Duty officer", frozenset({Role.DUTY_OFFICER}))
        with self.store.begin() as work:
            work.users.save(user)
            work.shifts.add(Shift("s-1", user.name, None, NOON, NOON + timedelta(days=1)))
            work.commit()
        return Actor(user, "console", "127.0.0.1")

    def contacts(self, **places: tuple[CallKind, str, int]) -> None:
        """Let the register hold these places."""
        made = [
            self.contact(place, number, kind, area)
            for place, (kind, area, count) in places.items()
            for number in range(1, count + 1)
        ]
        with self.store.begin() as work:
            work.contacts.replace_all(made)
            work.commit()

    def contact(self, place: str, number: int, kind: CallKind = CallKind.COUNTY, area: str = HAIYANG) -> Contact:
        phone = number_of(place, number)
        return Contact(
            place=place,
            area=area,
            county=COUNTIES[area],
            kind=kind,
            name_zh=f"{place}值班室",
            name_en=f"{place} room",
            where="一号路 1 号",
            number=number,
            phone_key=self.vault.key_of(phone),
            phone_sealed=self.vault.seal(phone),
            phone_masked="+1 *** *** **42",
        )

    def released(
        self,
        levels: Mapping[str, Level],
        act: Act = Act.ISSUE,
        warning_id: str = "w-1",
        series: Series = Series.REAL,
        hours: float = 24,
        store: Store | None = None,
        most: int = 1000,
    ) -> Bulletin:
        """A bulletin goes out, with its calls, in one transaction; then the lane begins to send the first `most`."""
        now, earlier = self.clock.now(), tuple(self.chain.get(warning_id, ()))
        serial = self.serial + 1
        said = replace(
            content(),
            act=act,
            series=series,
            areas=tuple(AreaLevel(code, level) for code, level in levels.items()),
            expires=now + timedelta(hours=hours),
        )
        made = bulletin_row(
            serial, warning_id=warning_id, series=series, content=said, released_at=now, proposal_id=f"p-{serial}"
        )
        with (store or self.store).begin() as work:
            if not earlier and work.warnings.get(warning_id) is None:
                work.warnings.add(warning(id=warning_id, series=series))
            version = replace(proposal(serial, said), warning_id=warning_id, version=len(earlier) + 1)
            work.proposals.add(version, package_of(said))
            work.bulletins.add(made, frozen(serial))
            call_out(self.desk(), work, made, earlier, now)
            work.commit()
        texts_leave(self.store, now, most)
        self.serial = serial
        self.chain.setdefault(warning_id, []).append(made)
        return made

    def tick(self, store: Store | None = None, most: int = 1000, **step: float) -> None:
        """Time passes, then a process looks what is due."""
        self.clock.advance(**step)
        advance_calls(self.desk(store))
        texts_leave(self.store, self.clock.now(), most)

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The statements that the database is given meanwhile."""
        found: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            found.append(statement)

        event.listen(self.store.engine, "before_cursor_execute", note)
        try:
            yield found
        finally:
            event.remove(self.store.engine, "before_cursor_execute", note)

    def calls(self, warning_id: str = "w-1") -> dict[str, Call]:
        """By place, those that have not ended."""
        with self.store.read() as work:
            return {call.place: call for call in work.calls.of_warning(warning_id)}

    def states(self, warning_id: str = "w-1") -> dict[str, CallState]:
        return {place: call.state for place, call in self.calls(warning_id).items()}

    def asks(self, warning_id: str = "w-1") -> list[CallAsk]:
        with self.store.read() as work:
            return [ask for asks in work.calls.asks(warning_id).values() for ask in asks]

    def notices(self, warning_id: str = "w-1") -> list[Notice]:
        """Of the calls that have not ended."""
        with self.store.read() as work:
            return [n for call in work.calls.of_warning(warning_id) for n in work.notices.of_subject(call.id)]

    def tasks(self) -> list[Task]:
        with self.store.read() as work:
            return list(work.tasks.pending())

    def kinds(self) -> Counter[str]:
        with self.store.read() as work:
            return Counter(entry.kind for entry in work.ledger.entries())


def minutes(count: float) -> datetime:
    """A moment after the first release."""
    return NOON + timedelta(minutes=count)
