"""An exercise from its start to its end, what speaks against one, and how a real proposal stops it (house rule 10)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from tests.integration.conftest import SettableClock
from tests.integration.exercise_desk import HAIYANG, LAIYANG, WORD, ExerciseDesk

from geowarn.bootstrap import System
from geowarn.domain.dispatch import DispatchState
from geowarn.domain.errors import Refused
from geowarn.domain.exercise import ExerciseStatus, in_group
from geowarn.domain.level import Level
from geowarn.domain.people import Shift
from geowarn.domain.warning import Act, Series, WarningStatus
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.exercise import hindrances, permit, start
from geowarn.pipeline.exercise_end import finish, keep_exercise
from geowarn.pipeline.exercise_guard import Confirmation
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import in_force, release, retract, retraction_words
from geowarn.pipeline.signoff import sign


@pytest.fixture
def desk(demo_system: System, officer: Callable[[str], Actor], settable_clock: SettableClock) -> ExerciseDesk:
    made = ExerciseDesk(demo_system, officer, settable_clock)
    made.until_middle_of_shift()
    return made


def real(desk: ExerciseDesk, level: Level = Level.YELLOW) -> str:
    made = propose_by_hand(desk.system.desk, {LAIYANG: level}, 24, "裂缝", "村干部来电", desk.officer("duty"))
    return made.warning_id


def real_released(desk: ExerciseDesk) -> str:
    name = real(desk)
    for who in ("duty", "leader", "observatory"):
        sign(desk.system.desk, name, desk.officer(who))
    release(desk.system.desk, name, desk.officer("leader"))
    return name


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.key


def test_the_whole_way_to_test_targets(desk: ExerciseDesk) -> None:
    exercise = desk.begin()
    bulletin = desk.released(exercise)
    assert (bulletin.series, bulletin.slug[:3]) == (Series.EXERCISE, "ex-")
    assert "演练" in bulletin.number
    rows = desk.dispatches(bulletin)
    with desk.system.store.read() as work:
        group = {r.phone_key for r in work.recipients.all() if in_group(r) and r.area == HAIYANG}
        everyone = work.recipients.all()
    assert {row.target_key for row in rows if row.channel == "sms"} == group
    assert 0 < len(group) < len(everyone)
    assert {row.target_key for row in rows if row.channel == "broadcast"} == {"demo-tv", "demo-radio"}
    assert {row.target_key for row in rows if row.channel == "website"} == {"exercise"}
    with desk.system.store.read() as work:
        assert in_force(work, desk.clock.now()) == ()  # nothing public


def test_real_and_exercise_numbers_are_gapless_apart(desk: ExerciseDesk) -> None:
    first = desk.begin()
    one = desk.released(first)
    finish(desk.system.desk, desk.officer("duty"))
    name = real_released(desk)
    with desk.system.store.read() as work:
        (of_real,) = work.bulletins.of_warning(name)
        of_exercise = [b.serial for b in work.bulletins.of_warning(first.warning_id)]
    assert (one.serial, of_real.serial) == (1, 1)
    assert of_exercise == [1, 2]


def test_each_step_asks_for_the_word(desk: ExerciseDesk) -> None:
    for typed in ("", "撤回1号"):
        act = partial(start, desk.system.desk, desk.scenario(), typed, 60, desk.officer("duty"))
        assert refusal(act) == "exercise.typed"
    exercise = desk.begin()
    inner, name, duty = desk.system.desk, exercise.warning_id, desk.officer("duty")
    assert refusal(lambda: sign(inner, name, duty)) == "exercise.typed"
    assert refusal(lambda: sign(inner, name, duty, confirmation=Confirmation(WORD, "no"))) == "exercise.code"
    desk.signed(exercise)
    assert refusal(lambda: release(inner, name, duty)) == "exercise.typed"
    by_hand = partial(propose_by_hand, inner, {LAIYANG: Level.YELLOW}, 3, "r", "s", duty, Series.EXERCISE)
    assert refusal(by_hand) == "exercise.typed"
    assert by_hand(Confirmation("exercise")).content.series is Series.EXERCISE


def test_without_an_exercise_running_nothing_of_one_can_be_proposed(desk: ExerciseDesk) -> None:
    levels, duty = {HAIYANG: Level.RED}, desk.officer("duty")
    act = partial(propose_by_hand, desk.system.desk, levels, 3, "r", "s", duty, Series.EXERCISE, Confirmation(WORD))
    assert refusal(act) == "exercise.not-running"


def test_the_code_of_an_exercise_signs_nothing_real(desk: ExerciseDesk) -> None:
    """Two persons' signatures with the exercise's confirmation count for nothing beyond a plain signature."""
    desk.begin()
    name = real(desk)
    assert refusal(lambda: release(desk.system.desk, name, desk.officer("duty"), confirmation=Confirmation(WORD))) == (
        "release.unsigned"
    )


def test_only_one_at_a_time(desk: ExerciseDesk) -> None:
    desk.begin()
    assert refusal(desk.begin) == "exercise.already-running"


def test_below_the_public_level_there_is_nothing_to_exercise(desk: ExerciseDesk) -> None:
    assert refusal(lambda: desk.begin(level=Level.BLUE)) == "exercise.no-level"


@pytest.mark.parametrize("minutes", [0, 4, 241])
def test_the_length_is_bounded(desk: ExerciseDesk, minutes: int) -> None:
    assert refusal(lambda: desk.begin(minutes=minutes)) == "exercise.minutes"


def test_an_auditor_or_an_observatory_officer_starts_none(desk: ExerciseDesk) -> None:
    assert refusal(lambda: desk.begin(by="observatory")) == "people.role-missing"
    assert refusal(lambda: desk.begin(by="disclosure")) == "people.role-missing"


# --- what speaks against one


def hand_over_in(desk: ExerciseDesk, minutes: int) -> None:
    """The leader takes over from a duty officer so many minutes from now."""
    at = desk.clock.now() + timedelta(minutes=minutes)
    with desk.system.store.begin() as work:
        work.shifts.add(Shift("s-a", "disclosure", None, at - timedelta(hours=8), at))
        work.shifts.add(Shift("s-b", "leader", None, at, at + timedelta(hours=8)))
        work.commit()


@pytest.mark.parametrize(
    ("minutes", "refused"), [(-31, False), (-30, False), (-29, True), (0, True), (30, True), (31, False)]
)
def test_none_within_half_an_hour_of_a_hand_over(desk: ExerciseDesk, minutes: int, refused: bool) -> None:
    hand_over_in(desk, minutes)
    if refused:
        assert refusal(desk.begin) == "exercise.against-handover"
    else:
        assert desk.begin().status is ExerciseStatus.RUNNING


def test_it_ends_before_the_next_hand_over(desk: ExerciseDesk) -> None:
    hand_over_in(desk, 60)
    exercise = desk.begin(minutes=120)
    assert exercise.ends_at == desk.clock.now() + timedelta(minutes=30)
    desk.clock.advance(minutes=30)
    assert keep_exercise(desk.system.desk)
    assert desk.now_held(exercise).status is ExerciseStatus.ENDED


def test_none_while_a_real_proposal_is_under_review(desk: ExerciseDesk) -> None:
    real(desk)
    assert refusal(desk.begin) == "exercise.against-real-under-review"


def test_none_while_a_real_warning_is_in_force(desk: ExerciseDesk) -> None:
    real_released(desk)
    assert refusal(desk.begin) == "exercise.against-real-in-force"


def test_a_leader_may_allow_one_once_and_not_for_long(desk: ExerciseDesk) -> None:
    real_released(desk)
    desk.allowed()
    exercise = desk.begin()
    assert exercise.permit_id is not None
    finish(desk.system.desk, desk.officer("duty"))
    assert refusal(desk.begin) == "exercise.against-real-in-force"  # used up
    desk.allowed()
    desk.clock.advance(minutes=30)
    assert refusal(desk.begin) == "exercise.against-real-in-force"  # over


def test_nobody_allows_their_own_exercise(desk: ExerciseDesk) -> None:
    real_released(desk)
    desk.allowed(by="leader")
    assert refusal(lambda: desk.begin(by="leader")) == "exercise.against-real-in-force"
    assert desk.begin(by="duty").permit_id is not None


def test_only_leaders_allow_and_they_say_why(desk: ExerciseDesk) -> None:
    assert refusal(lambda: permit(desk.system.desk, "x", desk.officer("duty"))) == "people.role-missing"
    assert refusal(lambda: permit(desk.system.desk, " ", desk.officer("chief"))) == "exercise.permit-reason"


# --- a real proposal comes


def test_a_real_proposal_stops_an_exercise_under_review(desk: ExerciseDesk) -> None:
    exercise = desk.begin()
    name = real(desk)
    with desk.system.store.read() as work:
        (open_now,) = work.proposals.open()
        dropped = work.warnings.get(exercise.warning_id)
    assert open_now.warning_id == name
    assert dropped is not None
    assert dropped.status is WarningStatus.DISMISSED
    assert desk.now_held(exercise).status is ExerciseStatus.STOPPED
    assert "exercise-stopped" in desk.task_kinds()
    assert desk.kinds(exercise.id) == ["exercise.started", "exercise.stopped"]


def test_a_real_proposal_stops_the_sending_and_stations_are_told(desk: ExerciseDesk) -> None:
    exercise = desk.begin()
    bulletin = desk.released(exercise)
    real(desk)
    rows = desk.dispatches(bulletin)
    assert {row.state for row in rows} == {DispatchState.EXPIRED_UNSENT}
    assert {row.reason for row in rows} == {"exercise.stopped-by-real"}
    assert keep_exercise(desk.system.desk)
    _, notice = desk.bulletins(exercise)
    assert (notice.act, notice.series, notice.serial) == (Act.CANCEL, Series.EXERCISE, bulletin.serial + 1)
    assert {row.target_key for row in desk.dispatches(notice) if row.channel == "broadcast"} == {
        "demo-tv",
        "demo-radio",
    }
    assert not keep_exercise(desk.system.desk)


def test_an_update_of_a_real_warning_stops_one_that_was_allowed_beside_it(desk: ExerciseDesk) -> None:
    from geowarn.pipeline.change import update

    name = real_released(desk)
    desk.allowed()
    exercise = desk.begin()
    update(desk.system.desk, name, {LAIYANG: Level.RED}, "雨更大", desk.officer("duty"))
    assert desk.now_held(exercise).status is ExerciseStatus.STOPPED


def test_a_person_ends_it_and_what_was_sent_is_cancelled_at_once(desk: ExerciseDesk) -> None:
    exercise = desk.begin()
    desk.released(exercise)
    finish(desk.system.desk, desk.officer("duty"))
    assert [b.act for b in desk.bulletins(exercise)] == [Act.ISSUE, Act.CANCEL]
    with desk.system.store.read() as work:
        texts = work.bulletins.artefacts(desk.bulletins(exercise)[-1].id)
    assert all("【演练】".encode() in body or b"[EXERCISE]" in body for body in texts.values())


def test_a_retraction_of_an_exercise_has_words_of_its_own(desk: ExerciseDesk) -> None:
    exercise = desk.begin()
    bulletin = desk.released(exercise)
    name, duty = exercise.warning_id, desk.officer("duty")
    assert refusal(lambda: retract(desk.system.desk, name, f"撤回{bulletin.serial}号", duty)) == "release.confirmation"
    assert retract(desk.system.desk, name, retraction_words(bulletin)[0], duty).act is Act.RETRACT


def test_a_real_text_cannot_bear_the_words_of_an_exercise(desk: ExerciseDesk) -> None:
    from geowarn.pipeline.review import edit

    name = real(desk)
    slots = {"action.yellow.zh": "【演练】请立即撤离"}
    assert refusal(lambda: edit(desk.system.desk, name, slots, desk.officer("duty"))) == "exercise.prefix-in-real"


def test_hindrances_name_everything(desk: ExerciseDesk) -> None:
    real_released(desk)
    hand_over_in(desk, 10)
    with desk.system.store.read() as work:
        assert hindrances(work, desk.clock.now()) == ("handover", "real-in-force")
