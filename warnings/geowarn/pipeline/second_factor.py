"""Second factor: enrolment, and the proof that is asked for again where much depends on it.

A code counts once: the newest time step taken is stored, and only later ones are taken. Wrong codes are counted before
they are looked at, so that many at once are no way around the waiting.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pyotp

from geowarn.domain.canonical import sha256_hex
from geowarn.domain.errors import Refused
from geowarn.domain.identity import SecondFactor
from geowarn.domain.people import Role, User
from geowarn.pipeline.actor import Actor, find_user
from geowarn.ports import Clock, Store, UnitOfWork, Vault

STEP_SECONDS = 30
AROUND = (0, -1, 1)  # time steps beside the present one: clocks of telephones go wrong
WINDOW = timedelta(minutes=15)
FREE_TRIES = 3
LONGEST_WAIT = 30  # seconds
MOST_TRIES = 10  # of one person within the window
RECOVERY_CODES = 10
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that paper confuses
_RECOVERY_LENGTH = 10  # of 31 letters: 49 bits


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a person puts into the generator; shown once and kept nowhere else."""

    secret: str  # base32
    uri: str  # otpauth://


class WrongCode(Refused):
    """A code that was not right: the try stays counted."""


def factor_in_use(work: UnitOfWork, name: str) -> bool:
    """Whether this person has a confirmed second factor."""
    factor = work.factors.get(name)
    return factor is not None and factor.in_use


def enrol(work: UnitOfWork, vault: Vault, user: User, issuer: str, now: datetime, secret: str = "") -> Enrolment:
    """Give a person a new secret, to be confirmed with a code; an earlier one in use goes on until then."""
    secret = secret or pyotp.random_base32()
    before = work.factors.get(user.name) or SecondFactor(user.name)
    work.factors.save(replace(before, pending=vault.seal(secret), enrolled_at=now))
    return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=user.name, issuer_name=issuer))


def confirm(work: UnitOfWork, vault: Vault, user: User, code: str, now: datetime, by: str) -> tuple[str, ...]:
    """Take the pending secret into use, proved by a code of it; returns new recovery codes, shown once.

    Raises WrongCode for a code that does not fit, Refused where nothing is pending.
    """
    factor = work.factors.get(user.name)
    if factor is None or factor.pending is None:
        raise Refused("identity.nothing-pending", user=user.name)
    step = _step_of(vault.open(factor.pending), _plain(code), now, 0)
    if step is None:
        raise WrongCode("identity.code-wrong", user=user.name)
    work.factors.save(replace(factor, secret=factor.pending, confirmed_at=now, last_step=step, pending=None))
    codes = _new_recovery(work, vault, user.name)
    work.sessions.delete_of(user.name)
    work.ledger.append(now, by, "factor.confirmed", user.name, {"replaced": factor.in_use})
    return codes


def renew_recovery(work: UnitOfWork, vault: Vault, user: User, now: datetime, by: str) -> tuple[str, ...]:
    """New recovery codes in place of all earlier ones; shown once."""
    if not factor_in_use(work, user.name):
        raise Refused("identity.no-factor", user=user.name)
    codes = _new_recovery(work, vault, user.name)
    work.ledger.append(now, by, "factor.recovery-renewed", user.name, {"count": len(codes)})
    return codes


def drop(store: Store, clock: Clock, name: str, actor: Actor) -> None:
    """Take away a lost factor: an administrator does it, never for themselves."""
    actor.need(Role.ADMINISTRATOR)
    if actor.user.name == name:
        raise Refused("identity.own-factor", user=name)
    with store.begin() as work:
        find_user(work, name)
        if work.factors.get(name) is None:
            raise Refused("identity.no-factor", user=name)
        work.factors.delete(name)
        work.sessions.delete_of(name)
        work.ledger.append(clock.now(), actor.label, "factor.dropped", name, {})
        work.commit()


def prove(work: UnitOfWork, vault: Vault, user: User, code: str, now: datetime) -> str:
    """Check a person's code and use it up in the caller's transaction; returns "totp" or "recovery".

    Call it inside `trying`, which counts. Raises Refused where the person has no factor or gave no code, WrongCode for
    a code that is wrong, used, another person's or out of its time (one step of 30 s to either side).
    """
    factor = work.factors.get(user.name)
    if factor is None or factor.secret is None or not factor.in_use:
        raise Refused("identity.no-factor", user=user.name)
    given = _plain(code)
    if not given:
        raise Refused("identity.code-needed", user=user.name)
    secret = vault.open(factor.secret)
    step = _step_of(secret, given, now, factor.last_step)
    if step is not None:
        work.factors.save(replace(factor, last_step=step))
        return "totp"
    if work.factors.burn_recovery(user.name, _recovery_key(vault, user.name, given), now):
        left = work.factors.recovery_left(user.name)
        work.ledger.append(now, user.name, "factor.recovery-used", user.name, {"left": left})
        return "recovery"
    if _step_of(secret, given, now, 0) is not None:
        raise WrongCode("identity.code-used", user=user.name, seconds=STEP_SECONDS)
    raise WrongCode("identity.code-wrong", user=user.name)


@contextmanager
def trying(store: Store, clock: Clock, user: User, code: str) -> Iterator[None]:
    """Around the transaction in which a code is proved: counts the try, and takes it back unless the code was wrong.

    Raises Refused where too many wrong codes came before. Without a code there is nothing to guess.
    """
    if not _plain(code):
        yield
        return
    number = _counted(store, clock.now(), user)
    try:
        yield
    except WrongCode:
        raise
    except BaseException:
        _take_back(store, number)
        raise
    _take_back(store, number)


def _counted(store: Store, now: datetime, user: User) -> int:
    key = sha256_hex(f"second-factor\n{user.name}")[:32]
    with store.begin() as work:
        work.sessions.hold_tries([key])
        failures = work.sessions.failures_since(key, now - WINDOW)
        if failures >= MOST_TRIES:
            raise Refused("identity.code-locked", user=user.name, minutes=int(WINDOW.total_seconds() // 60))
        if failures >= FREE_TRIES:
            wait = min(2 ** (failures - FREE_TRIES + 1), LONGEST_WAIT)
            if work.sessions.failures_since(key, now - timedelta(seconds=wait)):
                raise Refused("identity.code-wait", user=user.name, seconds=wait)
        number = work.sessions.note_failure(key, now)
        work.commit()
    return number


def _take_back(store: Store, number: int) -> None:
    with store.begin() as work:
        work.sessions.forget_failure(number)
        work.commit()


def _plain(code: str) -> str:
    """Without blanks and hyphens, in lower case, wide digits of a Chinese keyboard as narrow ones."""
    narrow = unicodedata.normalize("NFKC", code).lower()
    return "".join(letter for letter in narrow if not letter.isspace() and letter != "-")


def _step_of(secret: str, code: str, now: datetime, after: int) -> int | None:
    """The time step after `after` whose code this is, or None."""
    present, totp = int(now.timestamp()) // STEP_SECONDS, pyotp.TOTP(secret)
    fitting = (present + off for off in AROUND if present + off > after)
    return next((s for s in fitting if hmac.compare_digest(totp.generate_otp(s).encode(), code.encode())), None)


def _recovery_key(vault: Vault, name: str, code: str) -> str:
    return vault.key_of(f"recovery\n{name}\n{code}")


def _new_recovery(work: UnitOfWork, vault: Vault, name: str) -> tuple[str, ...]:
    plain = ["".join(secrets.choice(_LETTERS) for _ in range(_RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    work.factors.set_recovery(name, tuple(_recovery_key(vault, name, code) for code in plain))
    return tuple(f"{code[:5]}-{code[5:]}" for code in plain)
