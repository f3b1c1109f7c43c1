"""What every store keeps it gives back unchanged: the same suite in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.store_rows import (
    HOUR,
    NOON,
    area,
    bulletin,
    content,
    forecast,
    frozen,
    kept,
    package_of,
    proposal,
    recipient,
    rules,
    run,
    warning,
    with_versions,
)

from geowarn.domain.area import Area, AreaKind, Susceptibility
from geowarn.domain.assessment import Assessment
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.level import Level
from geowarn.domain.people import Role, Shift, SignOff, User
from geowarn.domain.period import Period
from geowarn.domain.rain import RainKind
from geowarn.domain.task import Task
from geowarn.domain.warning import (
    Act,
    ProposalStatus,
    Series,
    WarningStatus,
)
from geowarn.ports import Poll, Session
from geowarn.store.unit_of_work import SqlStore

# The store is made once per test and every example adds to it: exactly what a store lives through.
many = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
names = st.text(string.ascii_letters + string.digits, min_size=12, max_size=16)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=offsets)  # noqa: DTZ001
floats = st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


# --- places and people


@many
@given(
    st.lists(
        st.builds(
            Area,
            code=names,
            kind=st.sampled_from(AreaKind),
            name_zh=texts,
            name_en=texts,
            parent=st.none(),
            lon=st.none() | floats,
            lat=st.none() | floats,
            population=st.none() | st.integers(0, 10**10),
            susceptibility=st.sampled_from(Susceptibility),
            surveyed=st.booleans(),
            geometry=st.none() | st.dictionaries(texts, plain, max_size=3),
            official=st.booleans(),
        ),
        max_size=4,
        unique_by=lambda found: found.code,
    )
)
def test_areas_come_back_as_they_were(any_store: SqlStore, areas: list[Area]) -> None:
    kept(any_store, lambda work: work.areas.save_all(areas))
    with any_store.read() as work:
        assert [work.areas.get(found.code) for found in areas] == areas
        codes = [found.code for found in work.areas.all()]
    assert codes == sorted(codes)


def test_a_parent_may_come_after_its_child_but_never_be_unknown(any_store: SqlStore) -> None:
    kept(any_store, lambda work: work.areas.save_all([area("370687", parent="370600"), area("370600")]))
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        kept(any_store, lambda work: work.areas.save_all([area("370688", parent="999999")]))
    with any_store.read() as work:
        assert work.areas.get("370688") is None


def test_saving_an_area_again_replaces_it(any_store: SqlStore) -> None:
    kept(any_store, lambda work: work.areas.save_all([area(surveyed=False)]))
    kept(any_store, lambda work: work.areas.save_all([area(surveyed=True)]))
    with any_store.read() as work:
        assert [found.surveyed for found in work.areas.all()] == [True]


def test_a_registration_is_replaced_by_number_and_area_and_an_opt_out_stands(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        work.areas.save_all([area()])
        assert work.recipients.add_all([recipient(1), recipient(2)]) == 2
        assert work.recipients.opt_out(recipient(1).phone_key, NOON) == 1
        assert work.recipients.opt_out(recipient(1).phone_key, NOON + HOUR) == 0
        again = [recipient(1, id="r-9", role="warden"), recipient(3, language="en")]
        assert work.recipients.add_all(again) == 1
        work.commit()
    with any_store.read() as work:
        assert work.recipients.by_phone_key(recipient(1).phone_key) == (recipient(1, role="warden", opted_out_at=NOON),)
        assert work.recipients.all() == (
            recipient(1, role="warden", opted_out_at=NOON),
            recipient(2),
            recipient(3, language="en"),
        )
        assert work.recipients.counts() == {("370687", "en", "resident"): 1, ("370687", "zh", "resident"): 1}


def test_a_registration_for_an_unknown_area_is_refused(any_store: SqlStore) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        kept(any_store, lambda work: work.recipients.add_all([recipient(1)]))


@many
@given(
    st.builds(
        User,
        name=names,
        display_zh=texts,
        display_en=texts,
        roles=st.frozensets(st.sampled_from(Role)),
        password_hash=texts,
        active=st.booleans(),
    )
)
def test_users_come_back_as_they_were(any_store: SqlStore, user: User) -> None:
    kept(any_store, lambda work: work.users.save(user))
    with any_store.read() as work:
        assert work.users.get(user.name) == user
        assert user in work.users.all()


def test_sessions_and_failed_log_ins(any_store: SqlStore) -> None:
    session = Session("a" * 64, "wang", "form", NOON, NOON, NOON + 12 * HOUR)
    with any_store.begin() as work:
        work.sessions.save(session)
        work.sessions.save(replace(session, seen_at=NOON + HOUR))
        for minute in range(3):
            work.sessions.note_failure("wang", NOON + timedelta(minutes=minute))
        work.commit()
    with any_store.begin() as work:
        assert work.sessions.get("a" * 64) == replace(session, seen_at=NOON + HOUR)
        assert work.sessions.failures_since("wang", NOON + timedelta(minutes=1)) == 2
        assert work.sessions.failures_since("li", NOON) == 0
        work.sessions.delete("a" * 64)
        assert work.sessions.get("a" * 64) is None
        work.commit()


def test_a_failure_taken_back_is_not_counted(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        first, second = (work.sessions.note_failure("wang", NOON) for _ in range(2))
        assert first != second
        work.sessions.forget_failure(first)
        work.commit()
    with any_store.read() as work:
        assert work.sessions.failures_since("wang", NOON) == 1


def test_shifts_are_half_open(any_store: SqlStore) -> None:
    night, day = (
        Shift("s-1", "wang", None, NOON - 12 * HOUR, NOON),
        Shift("s-2", "li", "wang", NOON, NOON + 12 * HOUR),
    )
    with any_store.begin() as work:
        work.shifts.add(day)
        work.shifts.add(night)
        work.commit()
    with any_store.read() as work:
        assert work.shifts.at(NOON) == (day,)
        assert work.shifts.at(NOON - HOUR) == (night,)
        assert work.shifts.between(NOON - HOUR, NOON + HOUR) == (night, day)
        assert work.shifts.between(NOON, NOON + HOUR) == (day,)


# --- from forecast to level


def test_forecasts_are_found_by_id_digest_and_coverage(any_store: SqlStore) -> None:
    first, second = forecast(1), forecast(2, kinds=frozenset(RainKind))
    later = forecast(3, coverage=Period(NOON + 24 * HOUR, NOON + 48 * HOUR))
    with any_store.begin() as work:
        for found in (first, second, later):
            work.forecasts.add(found)
        work.commit()
    with any_store.read() as work:
        assert work.forecasts.get("f-2") == second
        assert work.forecasts.get("f-9") is None
        assert work.forecasts.by_digest(first.payload_digest) == (first,)
        window = Period(NOON, NOON + 24 * HOUR)
        assert work.forecasts.covering(window, RainKind.FORECAST) == (second, first)  # touching is not overlapping
        assert work.forecasts.covering(window, RainKind.OBSERVED) == (second,)
        assert work.forecasts.latest(2) == (later, second)


@many
@given(
    st.lists(
        st.builds(
            Assessment,
            area=texts,
            level=st.none() | st.sampled_from(Level),
            lower_bound=st.booleans(),
            evidence=st.dictionaries(texts, plain, max_size=4),
        ),
        max_size=5,
    ),
    floats,
    moments,
)
def test_assessments_come_back_bit_for_bit(
    any_store: SqlStore, found: list[Assessment], age: float, at: datetime
) -> None:
    made = run(id=f"a-{uuid4()}", assessments=tuple(found), age_hours=age, created_at=at)
    with any_store.begin() as work:
        if work.forecasts.get("f-1") is None:
            work.forecasts.add(forecast(1))
        work.assessments.add(made)  # its rule set may follow within the transaction
        work.rules.save(rules())
        work.rules.save(rules())
        work.commit()
    with any_store.read() as work:
        assert work.assessments.get(made.id) == made
        assert made in work.assessments.latest(1000)
        assert work.rules.get("d" * 64) == rules()


# --- review and release


def test_a_version_keeps_every_byte_of_its_package(any_store: SqlStore) -> None:
    given_, edited = proposal(1), content(slots={"action.red.zh": "马上撤离"})
    with any_store.begin() as work:
        work.warnings.add(warning())
        work.proposals.add(given_, package_of(given_.content))
        second = proposal(2, edited)
        work.proposals.add(second, package_of(edited))
        work.proposals.add(proposal(3), package_of(content()))  # edited back: the same bytes once more
        work.commit()
    with any_store.read() as work:
        assert work.proposals.get("p-1") == given_
        assert work.proposals.package("p-1") == package_of(content())
        assert work.proposals.package("p-2").sha256 == second.package_sha256
        assert work.proposals.package("p-3") == work.proposals.package("p-1")
        assert [found.version for found in work.proposals.of_warning("w-1")] == [3, 2, 1]
        with pytest.raises(NotFound):
            work.proposals.package("p-9")


def test_only_the_status_of_a_version_changes(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        work.warnings.add(warning())
        for version in (1, 2):
            work.proposals.add(proposal(version), package_of(content()))
        changed = replace(proposal(1), status=ProposalStatus.SUPERSEDED, status_reason="edited", edited_by="li")
        work.proposals.save_status(changed)
        assert work.proposals.get("p-1") == replace(changed, edited_by="wang")
        assert [found.id for found in work.proposals.open()] == ["p-2"]
        with pytest.raises(NotFound):
            work.proposals.save_status(proposal(9))
        work.commit()


def test_a_version_whose_digest_is_not_its_packages_is_refused(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        work.warnings.add(warning())
        with pytest.raises(Refused, match="package-differs"):
            work.proposals.add(proposal(1), package_of(content(), b"other"))


def test_warnings_come_back_newest_first_and_keep_where_they_stand(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        work.warnings.add(warning(1))
        work.warnings.add(warning(2))
        work.warnings.save(warning(1, status=WarningStatus.LIFTED, ended_at=NOON + 5 * HOUR))
        with pytest.raises(NotFound):
            work.warnings.save(warning(9))
        work.commit()
    with any_store.read() as work:
        assert work.warnings.all() == (warning(2), warning(1, status=WarningStatus.LIFTED, ended_at=NOON + 5 * HOUR))


def test_voided_signatures_stay_on_record(any_store: SqlStore) -> None:
    first = SignOff("s-1", "p-1", "d" * 64, "wang", Role.DUTY_OFFICER, NOON, "console", "127.0.0.1", "none")
    second = replace(first, id="s-2", user="li", role=Role.LEADER, at=NOON + HOUR)
    with any_store.begin() as work:
        work.warnings.add(warning())
        work.proposals.add(proposal(), package_of(content()))
        work.signoffs.add(second)
        work.signoffs.add(first)
        assert work.signoffs.of_proposal("p-1") == (first, second)
        assert work.signoffs.void("p-1", NOON + 2 * HOUR) == 2
        assert work.signoffs.void("p-1", NOON + 3 * HOUR) == 0
        assert {found.voided_at for found in work.signoffs.of_proposal("p-1")} == {NOON + 2 * HOUR}
        work.commit()


def test_bulletins_come_back_with_their_bytes_in_order_of_release(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        with_versions(work, 1, 2)
        for serial in (2, 1):  # both within one second, 2 first
            work.bulletins.add(bulletin(serial), frozen(serial))
        work.commit()
    with any_store.read() as work:
        assert work.bulletins.get("b-1") == bulletin(1)
        assert work.bulletins.by_slug("2026-002") == bulletin(2)
        assert [found.id for found in work.bulletins.of_warning("w-1")] == ["b-2", "b-1"]
        assert [found.id for found in work.bulletins.all()] == ["b-1", "b-2"]
        assert work.bulletins.artefacts("b-1") == {"sms/red.zh.txt": b"same", "page": b"1"}
        assert work.bulletins.artefacts_at("page", ["b-1", "b-2", "b-3"]) == {"b-1": b"1", "b-2": b"2"}
        assert [found.id for found in work.bulletins.after(None)] == ["b-2", "b-1"]
        assert [found.id for found in work.bulletins.after("b-2")] == ["b-1"]
        assert work.bulletins.after("b-1") == ()
        with pytest.raises(NotFound):
            work.bulletins.after("b-3")
        assert work.bulletins.by_number(bulletin(2).number) == bulletin(2)
        assert work.bulletins.by_number("2026-002") is None
        assert [found.id for found in work.bulletins.newest(1)] == ["b-1"]
        assert work.bulletins.newest(2, (Series.EXERCISE,)) == ()
        assert [found.id for found in work.bulletins.since(NOON)] == ["b-1", "b-2"]
        assert work.bulletins.since(NOON + HOUR) == ()
        assert work.bulletins.slugs((Series.REAL,)) == ("2026-001", "2026-002")
        assert work.bulletins.slugs((Series.REAL, Series.EXERCISE), "page") == ("2026-001", "2026-002")
        assert work.bulletins.slugs((Series.REAL,), "other") == work.bulletins.slugs((Series.EXERCISE,)) == ()
        assert work.bulletins.warnings_in((Series.REAL,)) == {"w-1"}
        assert work.bulletins.warnings_in((Series.EXERCISE,)) == frozenset()


def test_a_version_cannot_be_released_twice_but_its_retraction_can_follow(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        with_versions(work, 1)
        work.bulletins.add(bulletin(1), frozen(1))
        withdrawn = bulletin(2, proposal_id="p-1", content=content(act=Act.RETRACT))
        work.bulletins.add(withdrawn, frozen(2))
        work.commit()
    with pytest.raises(Exception, match=r"(?i)unique|refuses"), any_store.begin() as work:
        work.bulletins.add(bulletin(3, proposal_id="p-1"), frozen(3))


def test_a_bulletin_whose_digests_are_not_its_files_is_refused(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        with_versions(work, 1)
        with pytest.raises(Refused, match="artefacts-differ"):
            work.bulletins.add(bulletin(1), frozen(2))


def test_serials_start_at_one_in_each_series_and_year(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        taken = [work.bulletins.next_serial(series, year) for series in Series for year in (2026, 2027) for _ in "ab"]
        work.commit()
    assert taken == [1, 2] * (len(taken) // 2)


# --- proof and operation


@many
@given(texts, texts, texts, st.dictionaries(texts, plain, max_size=4), moments)
def test_the_ledger_chains_whatever_it_is_told(
    any_store: SqlStore, actor: str, kind: str, subject: str, payload: dict[str, object], at: datetime
) -> None:
    with any_store.begin() as work:
        entry = work.ledger.append(at.astimezone(UTC), actor, kind, subject, payload)
        work.commit()
    with any_store.read() as work:
        assert work.ledger.head() == entry
        assert work.ledger.entries(entry.sequence - 1) == (entry,)
        assert work.ledger.entries(0, 1)[0].sequence == 1
        assert work.ledger.entries(subject=subject)[-1] == entry


def test_one_task_of_a_kind_and_subject_is_open_at_a_time(any_store: SqlStore) -> None:
    task = Task("t-1", "review", "w-1", NOON, facts={"level": "red"})
    due = Task("t-3", "extend-or-lift", "w-1", NOON, NOON + HOUR)
    with any_store.begin() as work:
        assert work.tasks.open(task)
        assert not work.tasks.open(replace(task, id="t-2"))
        assert work.tasks.open(due)
        assert work.tasks.pending() == (due, task)
        assert work.tasks.describe("review", "w-1", {"level": "blue"})
        assert work.tasks.pending() == (due, replace(task, facts={"level": "blue"}))
        assert work.tasks.close("review", "w-1", NOON) == 1
        assert not work.tasks.describe("review", "w-1", {})
        assert work.tasks.close("review", "w-1", NOON) == 0
        assert work.tasks.open(replace(task, id="t-2"))
        work.commit()


def test_a_slot_fires_once(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        assert work.ticks.last("assess") is None
        assert work.ticks.fire("assess", NOON, "one", NOON)
        assert not work.ticks.fire("assess", NOON, "two", NOON)
        assert work.ticks.fire("assess", NOON + HOUR, "two", NOON)
        assert work.ticks.last("assess") == NOON + HOUR
        work.commit()


def test_who_beats_is_alive(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        for owner, minute in (("one", 0), ("two", 0), ("two", 9)):
            work.ticks.beat(owner, "worker", NOON + timedelta(minutes=minute))
        assert work.ticks.alive("worker", NOON + timedelta(minutes=5)) == ("two",)
        assert work.ticks.alive("scheduler", NOON) == ()
        work.commit()


def test_stations_polls_and_airings(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        for sequence in (4, 5):
            work.stations.polled(Poll("city-tv", NOON + sequence * HOUR, sequence))
        assert work.stations.last_poll("city-tv") == Poll("city-tv", NOON + 5 * HOUR, 5)
        assert work.stations.last_poll("city-radio") is None
        assert work.stations.aired("city-tv", "2026-012", NOON, "tv")
        assert not work.stations.aired("city-tv", "2026-012", NOON, "tv")
        assert work.stations.aired("city-tv", "2026-012", NOON + HOUR, "tv")
        assert work.stations.airings("2026-012") == (("city-tv", NOON, "tv"), ("city-tv", NOON + HOUR, "tv"))
        work.commit()


# --- units of work


def test_leaving_without_commit_leaves_nothing(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        work.areas.save_all([area()])
        work.ledger.append(NOON, "a", "k", "s", {})
        work.counters.next("n")
    with pytest.raises(ZeroDivisionError):
        kept(any_store, lambda work: work.counters.next("n") / 0)
    with any_store.begin() as work:
        assert work.areas.all() == ()
        assert work.ledger.head() is None
        assert work.counters.next("n") == 1


def test_a_unit_of_work_ends_with_its_commit(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        work.counters.next("n")
        work.commit()
        with pytest.raises(Exception, match="closed"):
            work.counters.next("n")
        with pytest.raises(RuntimeError, match="over"):
            work.commit()


def test_reading_cannot_write(any_store: SqlStore) -> None:
    with pytest.raises(Exception, match=r"(?i)read.?only"), any_store.read() as work:
        work.counters.next("n")
    kept(any_store, lambda work: work.counters.next("n"))  # the connection can write again afterwards


def test_a_read_may_be_nested_in_a_write_of_the_same_thread(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        work.counters.next("n")
        with any_store.read() as inner:
            inner.areas.all()
        work.commit()


def test_a_moment_without_an_offset_is_refused(any_store: SqlStore) -> None:
    with pytest.raises(Exception, match="no offset"), any_store.begin() as work:
        work.ticks.fire("assess", NOON.replace(tzinfo=None), "one", NOON)
