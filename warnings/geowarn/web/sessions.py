"""Log-in, server-side sessions and what slows down someone who guesses."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from geowarn.bootstrap import System
from geowarn.domain.canonical import sha256_hex
from geowarn.domain.errors import Refused
from geowarn.domain.people import User
from geowarn.ports import Session, UnitOfWork
from geowarn.security import hash_password, new_token, token_sha256, verify_password

WINDOW = timedelta(minutes=15)
FREE_TRIES = 3  # before anyone has to wait
LONGEST_WAIT = 30  # seconds
MOST_TRIES = 10  # of one name from one place within the window
MOST_TRIES_BY_NAME = 100  # from everywhere: high, so that a stranger cannot lock the officer out at night
_SEEN_STEP = timedelta(minutes=1)  # a session's last use is stored at most this often
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


@cache
def _nobody() -> str:
    """A hash to verify against where there is no such person, so that both answers take the same time."""
    return hash_password(new_token())


def _failure_keys(name: str, origin: str) -> tuple[str, str]:
    """Digests, because people type passwords into the field for the name."""
    return sha256_hex(f"log-in\n{name}\n{origin}")[:32], sha256_hex(f"log-in\n{name}")[:32]


def _refuse_haste(work: UnitOfWork, name: str, origin: str, now: datetime) -> None:
    here, anywhere = _failure_keys(name, origin)
    failures = work.sessions.failures_since(here, now - WINDOW)
    if failures >= MOST_TRIES or work.sessions.failures_since(anywhere, now - WINDOW) >= MOST_TRIES_BY_NAME:
        raise Refused("web.locked", minutes=int(WINDOW.total_seconds() // 60))
    if failures >= FREE_TRIES:
        wait = min(2 ** (failures - FREE_TRIES + 1), LONGEST_WAIT)
        if work.sessions.failures_since(here, now - timedelta(seconds=wait)):
            raise Refused("web.wait", seconds=wait)


def log_in(system: System, name: str, password: str, origin: str, old_token: str) -> str:
    """Open a session and return its new token; any session the browser had ends (no fixation).

    Raises Refused for a wrong name or password (never saying which), and for too many tries.
    """
    name, now = name.strip()[:_LONGEST_NAME], system.clock.now()
    with system.store.read() as work:
        _refuse_haste(work, name, origin, now)
        user = work.users.get(name)
    # Checking takes a tenth of a second on purpose: no transaction is open meanwhile.
    stored = user.password_hash if user and user.active else ""
    right = verify_password(password[:_LONGEST_PASSWORD], stored or _nobody()) and bool(stored)
    with system.store.begin() as work:
        if user is None or not right:
            for key in _failure_keys(name, origin):
                work.sessions.note_failure(key, now)
            work.commit()
            raise Refused("web.wrong-password")
        token = new_token()
        hours = system.settings.web.session_hours
        work.sessions.delete(token_sha256(old_token))
        work.sessions.save(Session(token_sha256(token), user.name, new_token(), now, now, now + timedelta(hours=hours)))
        work.ledger.append(now, f"{user.name} (console, {origin})", "session.opened", user.name, {"hours": hours})
        work.commit()
    return token


def log_out(system: System, token: str) -> None:
    """End the session."""
    with system.store.begin() as work:
        work.sessions.delete(token_sha256(token))
        work.commit()


def signed_in(system: System, token: str, quiet: bool) -> SignedIn | None:
    """Who holds this token, or None; a `quiet` visit (a page that refreshes itself) does not keep a session alive."""
    now = system.clock.now()
    with system.store.read() as work:
        session = work.sessions.get(token_sha256(token))
        user = work.users.get(session.user) if session else None
    if session is None or user is None or not user.active:
        return None
    idle = timedelta(minutes=system.settings.web.idle_minutes)
    if session.ends_at <= now or session.seen_at + idle <= now:
        return None
    if not quiet and session.seen_at + _SEEN_STEP <= now:
        session = replace(session, seen_at=now)
        with system.store.begin() as work:
            if work.sessions.get(session.token_sha256) is not None:  # not logged out meanwhile
                work.sessions.save(session)
                work.commit()
    return SignedIn(user, session)
