"""The way to one SMTP server: connections that are kept for the next mail, and what each of its answers means.

Until the server has said 354 nothing can have arrived, so whatever breaks before is tried again. From then on it may
have, whatever it says or does not say, unless its answer is a number.
"""

from __future__ import annotations

import re
import smtplib
import ssl
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

from geowarn.domain.errors import OutcomeUnknown, PermanentFailure, SendFailure, TemporaryFailure
from geowarn_channels.mail_deadline import Plain, Tls, Watch, ending

IDLE_SECONDS = 20.0  # a connection left alone for longer may have been closed at the other end
GOODBYE_SECONDS = 1.0  # nothing hangs on the answer to it
MOST_MAILS = 100  # mails over one connection; servers end it after some hundreds
STEPS = 3  # time-outs that one mail may take in all: connecting, talking, waiting for the last word
_ENHANCED = re.compile(rb"\d\.\d{1,3}\.\d{1,3}")  # RFC 3463
_LOGIN = frozenset({530, 534, 535, 538})
# Enhanced codes that speak of us although it is the recipient's turn: no right to relay or to write as this sender
# (RFC 3463: 7.x policy, 1.7 and 1.8 the sender's address).
_OURS = re.compile(rb"5\.(7\.\d{1,3}|1\.[78])(?!\d)")
_BROKEN = (smtplib.SMTPException, OSError)


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over."""

    host: str
    port: int
    security: str  # starttls, tls, none
    user: str
    password: str = field(repr=False)
    ca_file: str
    seconds: float
    greeting: str  # how we call ourselves


class _Stale(Exception):
    """A kept connection was closed meanwhile; nothing was handed over."""


@dataclass(slots=True)
class _Line:
    smtp: smtplib.SMTP
    used_at: float
    mails: int = 0


class Wire:
    """Hands mails over; safe to share between threads, each mail has a connection of its own meanwhile."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._idle: list[_Line] = []
        self._lock = threading.Lock()
        self.timeout_seconds = STEPS * server.seconds
        weakref.finalize(self, _end_all, self._idle)

    def carry(self, sender: str, to: str, mail: bytes) -> str:
        """Hand one mail over and return what the server said, as numbers; raises a SendFailure."""
        until = time.monotonic() + self.timeout_seconds
        with ending(until) as watch:
            kept = self._take()
            if kept is not None:
                watch(kept.smtp)
                try:
                    return self._through(kept, sender, to, mail, until)
                except _Stale:
                    pass
            try:
                return self._through(_Line(connected(self._server, until, watch), 0.0), sender, to, mail, until)
            except _Stale:
                raise TemporaryFailure("mail.no-connection", code="closed") from None

    def probe(self) -> None:
        """Connect and log in as for a mail, and hang up; raises TemporaryFailure."""
        until = time.monotonic() + self.timeout_seconds
        with ending(until) as watch:
            _end(connected(self._server, until, watch))

    def _take(self) -> _Line | None:
        with self._lock:
            line = self._idle.pop() if self._idle else None
        if line is not None and time.monotonic() - line.used_at > IDLE_SECONDS:
            line.smtp.close()  # a good-bye would wait for an answer that may never come
            return self._take()
        return line

    def _through(self, line: _Line, sender: str, to: str, mail: bytes, until: float) -> str:
        try:
            said = _handed_over(line.smtp, sender, to, mail, lambda: self._hurry(line.smtp, until))
        except Exception:
            line.smtp.close()
            raise
        line.used_at, line.mails = time.monotonic(), line.mails + 1
        if line.mails >= MOST_MAILS:
            _end(line.smtp)
        else:
            with self._lock:
                self._idle.append(line)
        return said

    def _hurry(self, smtp: smtplib.SMTP, until: float) -> None:
        _hurry(smtp, self._server.seconds, until)


def _hurry(smtp: smtplib.SMTP, seconds: float, until: float) -> None:
    """Let the next step take only what is left of the whole; raises TimeoutError where nothing is."""
    left = _left(seconds, until)
    if smtp.sock is not None:
        smtp.sock.settimeout(left)


def _left(seconds: float, until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(seconds, left)


def connected(server: Server, until: float, watch: Watch) -> smtplib.SMTP:
    """A connection that is encrypted and logged in as the settings ask; raises TemporaryFailure naming what is not."""
    try:
        context = _trusting(server) if server.security != "none" else None
        smtp = _reached(server, context, until, watch)
    except ssl.SSLCertVerificationError:
        raise TemporaryFailure("mail.certificate", code=server.host, alarm=True) from None
    except ssl.SSLError:
        raise TemporaryFailure("mail.no-tls", code=server.security, alarm=True) from None
    except smtplib.SMTPConnectError as error:
        raise _failure("greeting", error.smtp_code, b"") from None
    except (*_BROKEN, UnicodeError) as error:  # a name that is none is refused in a way of its own
        raise TemporaryFailure("mail.no-connection", code=type(error).__name__) from None
    try:
        _hurry(smtp, server.seconds, until)
        _secured(smtp, server, context, until)
    except SendFailure:
        smtp.close()
        raise
    except _BROKEN as error:
        smtp.close()
        raise TemporaryFailure("mail.no-connection", code=type(error).__name__) from None
    return smtp


def _trusting(server: Server) -> ssl.SSLContext:
    """Whom to trust; the file may have gone, or hold no certificate, since it was named in the settings."""
    try:
        return ssl.create_default_context(cafile=server.ca_file or None)
    except OSError:  # SSLError too
        raise TemporaryFailure("mail.certificate", code="ca_file", alarm=True) from None


def _reached(server: Server, context: ssl.SSLContext | None, until: float, watch: Watch) -> smtplib.SMTP:
    where, name, seconds = (server.host, server.port), server.greeting, _left(server.seconds, until)
    if server.security == "tls":
        return Tls(watch, *where, local_hostname=name, timeout=seconds, context=context)
    return Plain(watch, *where, local_hostname=name, timeout=seconds)


def _secured(smtp: smtplib.SMTP, server: Server, context: ssl.SSLContext | None, until: float) -> None:
    try:
        if server.security == "starttls":
            smtp.starttls(context=context)
            _hurry(smtp, server.seconds, until)
        if server.user:
            smtp.login(server.user, server.password)
    except ssl.SSLCertVerificationError:
        raise TemporaryFailure("mail.certificate", code=server.host, alarm=True) from None
    except (smtplib.SMTPNotSupportedError, ssl.SSLError):
        reason = "mail.credentials" if _encrypted(smtp) or server.security == "none" else "mail.no-tls"
        raise TemporaryFailure(reason, code=server.security, alarm=True) from None
    except smtplib.SMTPAuthenticationError as error:
        if 400 <= error.smtp_code < 500:
            raise TemporaryFailure("mail.busy", code=str(error.smtp_code)) from None
        raise TemporaryFailure("mail.credentials", code=str(error.smtp_code), alarm=True) from None
    except smtplib.SMTPResponseException as error:
        raise _failure("greeting", error.smtp_code, b"") from None


def _encrypted(smtp: smtplib.SMTP) -> bool:
    return isinstance(smtp.sock, ssl.SSLSocket)


def _handed_over(smtp: smtplib.SMTP, sender: str, to: str, mail: bytes, hurry: Callable[[], None]) -> str:
    """One mail over an open connection; raises _Stale where it was closed before the first word."""
    try:
        hurry()
        smtp.ehlo_or_helo_if_needed()
        code, said = smtp.mail(sender)
    except _BROKEN:
        raise _Stale from None
    if code == 421:
        raise _Stale
    _expect("sender", code, said, 250)
    try:
        hurry()
        code, said = smtp.rcpt(to)
        _expect("recipient", code, said, 250, 251, 252)
        hurry()
        smtp.putcmd("data")
        code, said = smtp.getreply()
    except _BROKEN as error:
        raise TemporaryFailure("mail.no-connection", code=type(error).__name__) from None
    _expect("data", code, said, 354)
    try:
        hurry()
        smtp.send(re.sub(rb"(?m)^\.", b"..", mail) + b".\r\n")
        code, said = smtp.getreply()
    except _BROKEN as error:
        raise OutcomeUnknown("mail.no-answer", code=type(error).__name__) from None
    if not 200 <= code < 600:
        raise OutcomeUnknown("mail.no-answer", code=str(code))
    _expect("content", code, said, *range(200, 300))
    return _numbers(code, said)


def _expect(step: str, code: int, said: bytes, *wanted: int) -> None:
    if code not in wanted:
        raise _failure(step, code, said)


def _failure(step: str, code: int, said: bytes) -> SendFailure:
    """What a number means at a step; only a refusal of this recipient or this mail is for good.

    A refusal of the sender or of our log-in would meet every further mail, so the mail waits for a person to act.
    """
    told = _numbers(code, said)
    if code in _LOGIN and step != "content":
        return TemporaryFailure("mail.credentials", code=told, alarm=True)
    if 400 <= code < 500:
        return TemporaryFailure("mail.busy", code=told)
    if not 500 <= code < 600:
        return TemporaryFailure("mail.not-a-server", code=told, alarm=True)
    if step == "sender" or (step == "recipient" and _OURS.match(said)):
        return TemporaryFailure("mail.sender-refused", code=told, alarm=True)
    if step == "greeting":
        return TemporaryFailure("mail.turned-away", code=told, alarm=True)
    return PermanentFailure("mail.no-such-mailbox" if step == "recipient" else "mail.refused", code=told)


def _numbers(code: int, said: bytes) -> str:
    """`550 5.1.1`; the server's own words are dropped, they may name the address."""
    enhanced = _ENHANCED.match(said)
    return f"{code} {enhanced.group().decode()}" if enhanced else str(code)


def _end(smtp: smtplib.SMTP) -> None:
    try:
        if smtp.sock is not None:
            smtp.sock.settimeout(GOODBYE_SECONDS)
        smtp.quit()
    except _BROKEN:
        smtp.close()


def _end_all(lines: list[_Line]) -> None:
    for line in lines:
        line.smtp.close()
