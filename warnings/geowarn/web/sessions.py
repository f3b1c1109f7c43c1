"""Log-in, server-side sessions and what slows down someone who guesses."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

from geowarn.bootstrap import System
from geowarn.domain.errors import Refused
from geowarn.domain.people import User
from geowarn.pipeline.second_factor import factor_in_use, prove, trying
from geowarn.ports import Session, UnitOfWork
from geowarn.security import hash_password, new_token, token_sha256, verify_password
from geowarn.web.guessing import count_try, take_back

_SEEN_STEP = timedelta(minutes=1)  # a session's last use is stored at most this often
PATIENCE = timedelta(minutes=5)  # between password and code
AT_SIGNING = "at-signing"  # [web] second_factor: no code at log-in
_LONGEST_BROWSER = 120
_LONGEST_NAME = 64
_LONGEST_PASSWORD = 1024


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person with the session that proves it."""

    user: User
    session: Session

    def owns(self, form_token: str) -> bool:
        """Whether a form was made for this session."""
        return hmac.compare_digest(self.session.form_token.encode(), form_token.encode())


@dataclass(frozen=True, slots=True)
class Entry:
    """A new token; `waits` says that the second factor is still to come."""

    token: str
    waits: bool


@cache
def _nobody() -> str:
    """A hash to verify against where there is no such person, so that both answers take the same time."""
    return hash_password(new_token())


def log_in(system: System, name: str, password: str, origin: str, old_token: str, browser: str = "") -> Entry:
    """Open a session with a new token; any session the browser had ends (no fixation).

    Where the account has a second factor, and the installation asks for it here, the session waits for the code and
    opens no page. Raises Refused for a wrong name or password (never saying which), and for too many tries.
    """
    name, now = name.strip()[:_LONGEST_NAME], system.clock.now()
    notes = count_try(system.store, name, origin, now)
    with system.store.read() as work:
        user = work.users.get(name)
    # Checking takes a tenth of a second on purpose: no transaction is open meanwhile.
    stored = user.password_hash if user and user.active else ""
    right = verify_password(password[:_LONGEST_PASSWORD], stored or _nobody()) and bool(stored)
    if user is None or not right:
        raise Refused("web.wrong-password")
    with system.store.begin() as work:
        take_back(work, notes)
        if work.users.held(name) != user:  # changed or switched off while the password was looked at
            raise Refused("web.wrong-password")
        waits = system.settings.web.second_factor != AT_SIGNING and factor_in_use(work, user.name)
        entry = _open(system, work, user, (origin, browser), old_token, None if waits else "none")
        work.commit()
    return entry


def give_code(system: System, token: str, code: str, origin: str) -> Entry:
    """Turn a session that waits for its code into one that opens pages, under a new token; raises Refused."""
    found = _standing(system, token)
    if found is None or not found.session.waits_for_code:
        raise Refused("web.wrong-password")
    with trying(system.store, system.clock, found.user, code), system.store.begin() as work:
        if work.sessions.get(found.session.token_sha256) is None:  # ended meanwhile
            raise Refused("web.wrong-password")
        factor = prove(work, system.vault, found.user, code, system.clock.now())
        entry = _open(system, work, found.user, (origin, found.session.browser), token, factor)
        work.commit()
    return entry


def _open(
    system: System, work: UnitOfWork, user: User, place: tuple[str, str], old_token: str, factor: str | None
) -> Entry:
    """A session in place of the old one; `factor` None: it waits for the code."""
    token, now, hours = new_token(), system.clock.now(), system.settings.web.session_hours
    ends = now + (PATIENCE if factor is None else timedelta(hours=hours))
    origin, browser = place[0], place[1][:_LONGEST_BROWSER]
    work.sessions.delete(token_sha256(old_token))
    work.sessions.delete_ended(now)
    waits = factor is None
    work.sessions.save(Session(token_sha256(token), user.name, new_token(), now, now, ends, origin, browser, waits))
    if not waits:
        facts = {"hours": hours, "second_factor": factor}
        work.ledger.append(now, f"{user.name} (console, {origin})", "session.opened", user.name, facts)
    return Entry(token, waits)


def log_out(system: System, token: str) -> None:
    """End the session."""
    with system.store.begin() as work:
        work.sessions.delete(token_sha256(token))
        work.commit()


def _standing(system: System, token: str) -> SignedIn | None:
    """Whose session this is, while it lasts."""
    now = system.clock.now()
    with system.store.read() as work:
        session = work.sessions.get(token_sha256(token))
        user = work.users.get(session.user) if session else None
    if session is None or user is None or not user.active:
        return None
    idle = timedelta(minutes=system.settings.web.idle_minutes)
    if session.ends_at <= now or session.seen_at + idle <= now:
        return None
    return SignedIn(user, session)


def waits_for_code(system: System, token: str) -> bool:
    """Whether this browser has given its password and must now give its code."""
    found = _standing(system, token) if token else None
    return found is not None and found.session.waits_for_code


def signed_in(system: System, token: str, quiet: bool) -> SignedIn | None:
    """Who holds this token, or None; a `quiet` visit (a page that refreshes itself) does not keep a session alive."""
    found = _standing(system, token)
    if found is None or found.session.waits_for_code:
        return None
    now, session = system.clock.now(), found.session
    if not quiet and session.seen_at + _SEEN_STEP <= now:
        session = replace(session, seen_at=now)
        with system.store.begin() as work:
            if work.sessions.get(session.token_sha256) is not None:  # not logged out meanwhile
                work.sessions.save(session)
                work.commit()
    return SignedIn(found.user, session)
