"""Second factor at the signature: missing, wrong, used, another person's, out of its time; nothing is kept plain."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from tests.integration.conftest import SettableClock, fresh_code, signed

from geowarn.bootstrap import System
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.pipeline import second_factor
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.demo_factor import published_code, published_secret
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release, retract, retraction_words
from geowarn.pipeline.signoff import sign

Officer = Callable[[str], Actor]
HAIYANG = "370687"


def proposed(system: System, officer: Officer, level: Level = Level.RED) -> str:
    return propose_by_hand(system.desk, {HAIYANG: level}, 24, "裂缝", "巡查", officer("duty")).warning_id


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refusal:
        act()
    return refusal.value.key


def signatures(system: System, warning: str) -> list[str]:
    with system.store.read() as work:
        return [s.second_factor for s in work.signoffs.of_proposal(work.proposals.of_warning(warning)[0].id)]


@pytest.mark.parametrize(("level", "factor"), [(Level.YELLOW, "none"), (Level.ORANGE, "totp"), (Level.RED, "totp")])
def test_it_is_asked_for_at_the_levels_the_policy_names(
    demo_system: System, officer: Officer, level: Level, factor: str
) -> None:
    warning = proposed(demo_system, officer, level)
    if factor == "totp":
        assert refused(lambda: sign(demo_system.desk, warning, officer("duty"))) == "identity.code-needed"
    assert signed(demo_system, warning, officer("duty")).second_factor == factor
    assert signatures(demo_system, warning) == [factor]
    with demo_system.store.read() as work:
        entry = next(e for e in work.ledger.entries(subject=warning) if e.kind == "proposal.signed")
    assert json.loads(entry.payload)["second_factor"] == factor


def test_a_lowered_red_is_still_asked(demo_system: System, officer: Officer) -> None:
    from geowarn.pipeline import change

    warning = proposed(demo_system, officer)
    for name in ("duty", "leader", "chief", "observatory"):
        signed(demo_system, warning, officer(name))
    release(demo_system.desk, warning, officer("duty"))
    change.lift(demo_system.desk, warning, "雨停", officer("duty"))
    assert refused(lambda: sign(demo_system.desk, warning, officer("duty"))) == "identity.code-needed"


def test_without_a_factor_nobody_signs_red(demo_system: System, officer: Officer) -> None:
    warning = proposed(demo_system, officer)
    with demo_system.store.begin() as work:
        work.factors.delete("duty")
        work.commit()
    key = refused(lambda: sign(demo_system.desk, warning, officer("duty"), code="123456"))
    assert key == "identity.no-factor"
    assert signatures(demo_system, warning) == []


def test_a_code_counts_once(demo_system: System, officer: Officer) -> None:
    code = fresh_code(demo_system, "duty")
    sign(demo_system.desk, proposed(demo_system, officer), officer("duty"), code=code)
    second = proposed(demo_system, officer, Level.ORANGE)
    assert refused(lambda: sign(demo_system.desk, second, officer("duty"), code=code)) == "identity.code-used"
    assert signatures(demo_system, second) == []


def test_an_earlier_code_is_no_good_after_a_later_one(
    demo_system: System, officer: Officer, settable_clock: SettableClock
) -> None:
    early = pyotp.TOTP(published_secret("duty")).at(int(settable_clock.now().timestamp()) - 30)
    with demo_system.store.begin() as work:
        now = settable_clock.now()
        late = pyotp.TOTP(published_secret("duty")).at(now)
        second_factor.prove(work, demo_system.vault, officer("duty").user, late, now)
        work.commit()
    warning = proposed(demo_system, officer)
    assert refused(lambda: sign(demo_system.desk, warning, officer("duty"), code=early)) == "identity.code-used"


def test_another_persons_code_is_wrong(demo_system: System, officer: Officer) -> None:
    warning = proposed(demo_system, officer)
    code = fresh_code(demo_system, "leader")
    assert refused(lambda: sign(demo_system.desk, warning, officer("duty"), code=code)) == "identity.code-wrong"


@pytest.mark.parametrize(("seconds", "taken"), [(-90, False), (-30, True), (0, True), (30, True), (90, False)])
def test_a_code_holds_one_step_to_either_side(
    demo_system: System, officer: Officer, settable_clock: SettableClock, seconds: int, taken: bool
) -> None:
    warning = proposed(demo_system, officer)
    code = pyotp.TOTP(published_secret("duty")).at(int(settable_clock.now().timestamp()) + seconds)
    if taken:
        assert sign(demo_system.desk, warning, officer("duty"), code=code).second_factor == "totp"
    else:
        assert refused(lambda: sign(demo_system.desk, warning, officer("duty"), code=code)) == "identity.code-wrong"


def test_a_refusal_for_another_reason_leaves_the_code_unused(demo_system: System, officer: Officer) -> None:
    warning = proposed(demo_system, officer)
    code = fresh_code(demo_system, "duty")
    assert refused(lambda: sign(demo_system.desk, warning, officer("duty"), "0" * 64, code)) == "signoff.moved-on"
    assert sign(demo_system.desk, warning, officer("duty"), code=code).second_factor == "totp"


def test_guessing_is_slowed_and_then_stopped(
    demo_system: System, officer: Officer, settable_clock: SettableClock
) -> None:
    warning = proposed(demo_system, officer)
    keys = []
    for _ in range(30):
        keys.append(refused(lambda: sign(demo_system.desk, warning, officer("duty"), code="000000")))
        settable_clock.advance(seconds=5)
    assert keys[:3] == ["identity.code-wrong"] * 3
    assert "identity.code-wait" in keys
    for _ in range(10):
        settable_clock.advance(seconds=40)
        keys.append(refused(lambda: sign(demo_system.desk, warning, officer("duty"), code="000000")))
    assert keys[-1] == "identity.code-locked"
    assert keys.count("identity.code-wrong") == second_factor.MOST_TRIES
    code = fresh_code(demo_system, "duty")
    assert refused(lambda: sign(demo_system.desk, warning, officer("duty"), code=code)) == "identity.code-locked"
    signed(demo_system, warning, officer("leader"))  # nobody else is hindered
    settable_clock.advance(minutes=16)
    assert signed(demo_system, warning, officer("duty")).second_factor == "totp"


def test_many_guesses_at_once_are_counted(demo_system: System, officer: Officer) -> None:
    warning, actor = proposed(demo_system, officer), officer("duty")
    with ThreadPoolExecutor(8) as pool:
        keys = list(
            pool.map(lambda _: refused(lambda: sign(demo_system.desk, warning, actor, code="000000")), range(24))
        )
    assert keys.count("identity.code-wrong") <= second_factor.FREE_TRIES
    assert set(keys) <= {"identity.code-wrong", "identity.code-wait"}


def test_right_codes_are_not_held_against_anyone(demo_system: System, officer: Officer) -> None:
    for _ in range(12):
        signed(demo_system, proposed(demo_system, officer), officer("duty"))


def test_a_recovery_code_counts_once(demo_system: System, officer: Officer) -> None:
    user = officer("duty").user
    with demo_system.store.begin() as work:
        codes = second_factor.renew_recovery(work, demo_system.vault, user, demo_system.clock.now(), "test")
        work.commit()
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    first, second = proposed(demo_system, officer), proposed(demo_system, officer, Level.ORANGE)
    given = codes[0].upper().replace("-", " ")
    assert sign(demo_system.desk, first, officer("duty"), code=given).second_factor == "recovery"
    assert refused(lambda: sign(demo_system.desk, second, officer("duty"), code=codes[0])) == "identity.code-wrong"
    assert refused(lambda: sign(demo_system.desk, second, officer("leader"), code=codes[1])) == "identity.code-wrong"
    with demo_system.store.read() as work:
        assert work.factors.recovery_left("duty") == second_factor.RECOVERY_CODES - 1


def test_enrolment_counts_only_once_confirmed(demo_system: System, officer: Officer) -> None:
    user, now, vault = officer("duty").user, demo_system.clock.now(), demo_system.vault
    warning = proposed(demo_system, officer)
    with demo_system.store.begin() as work:
        made = second_factor.enrol(work, vault, user, "geowarn", now)
        work.commit()
    assert made.uri.startswith("otpauth://totp/geowarn:duty?")
    new = pyotp.TOTP(made.secret)
    assert refused(lambda: sign(demo_system.desk, warning, officer("duty"), code=new.at(now))) == "identity.code-wrong"
    signed(demo_system, warning, officer("duty"))  # the earlier one goes on until then
    with demo_system.store.begin() as work:
        assert refused(lambda: second_factor.confirm(work, vault, user, "000000", now, "t")) == "identity.code-wrong"
        codes = second_factor.confirm(work, vault, user, new.at(now), now, "t")
        work.commit()
    assert len(codes) == second_factor.RECOVERY_CODES
    with demo_system.store.read() as work:
        factor = work.factors.get("duty")
        assert published_code(work, vault, "duty", now) == ""  # a real secret is never shown
    assert factor is not None
    assert factor.pending is None
    assert made.secret.encode() not in (factor.secret or b"")
    other = proposed(demo_system, officer)
    code = new.at(now)
    assert refused(lambda: sign(demo_system.desk, other, officer("duty"), code=code)) == "identity.code-used"


def test_only_another_administrator_drops_a_factor(demo_system: System, officer: Officer) -> None:
    drop, store, clock = second_factor.drop, demo_system.store, demo_system.clock
    assert refused(lambda: drop(store, clock, "duty", officer("leader"))) == "people.role-missing"
    assert refused(lambda: drop(store, clock, "admin", officer("admin"))) == "identity.own-factor"
    drop(store, clock, "duty", officer("admin"))
    assert refused(lambda: drop(store, clock, "duty", officer("admin"))) == "identity.no-factor"
    warning = proposed(demo_system, officer)
    assert refused(lambda: sign(demo_system.desk, warning, officer("duty"), code="1")) == "identity.no-factor"


def test_a_retraction_takes_the_typed_words_and_the_code(demo_system: System, officer: Officer) -> None:
    warning = proposed(demo_system, officer)
    for name in ("duty", "leader", "chief", "observatory"):
        signed(demo_system, warning, officer(name))
    words = retraction_words(release(demo_system.desk, warning, officer("duty")))[0]
    assert refused(lambda: retract(demo_system.desk, warning, words, officer("duty"))) == "identity.code-needed"
    code = fresh_code(demo_system, "duty")
    retract(demo_system.desk, warning, words, officer("duty"), code)


def test_no_code_and_no_secret_is_in_the_ledger(demo_system: System, officer: Officer) -> None:
    code = fresh_code(demo_system, "duty")
    sign(demo_system.desk, proposed(demo_system, officer), officer("duty"), code=code)
    with demo_system.store.begin() as work:
        now = demo_system.clock.now()
        codes = second_factor.renew_recovery(work, demo_system.vault, officer("duty").user, now, "test")
        work.commit()
    signed_by_paper = proposed(demo_system, officer, Level.ORANGE)
    sign(demo_system.desk, signed_by_paper, officer("duty"), code=codes[0])
    with demo_system.store.read() as work:
        written = "\n".join(entry.payload for entry in work.ledger.entries())
    for secret in (f'"{code}"', published_secret("duty"), codes[0], codes[0].replace("-", "")):
        assert secret not in written
