"""A stand-in of a mail server on the loopback: takes every mail and lays it into a folder, sends none on.

It speaks what our own client needs of RFC 5321 (EHLO, STARTTLS, AUTH PLAIN, MAIL, RCPT, DATA, RSET, NOOP, QUIT).
"""

from __future__ import annotations

import socketserver
import ssl
import threading
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LONGEST_LINE = 2000  # bytes; RFC 5321 allows 1000
LONGEST_MAIL = 1024 * 1024
# What to say instead of the usual at a step (`greeting`, `ehlo`, `auth`, `mail`, `rcpt`, `data`, `content`); None: the
# usual, an empty text: hang up without a word.
Script = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class Taken:
    """One mail as it came in."""

    sender: str
    to: str
    body: bytes
    user: str = ""
    encrypted: bool = False


class _HungUp(Exception):
    """The other side is gone, or is to be left."""


class _Handler(socketserver.StreamRequestHandler):
    server: MailStandIn
    timeout = 60
    _user = ""
    _sender = ""
    _to = ""

    def handle(self) -> None:
        """Talk until the other side leaves."""
        try:
            self._say(self._scripted("greeting", "") or "220 stand-in")
            while True:
                verb, _, rest = self._line().partition(" ")
                self._answer(verb.lower(), rest)
        except (_HungUp, OSError):
            return
        finally:
            if isinstance(self.connection, ssl.SSLSocket):
                self.connection.close()

    def _answer(self, verb: str, rest: str) -> None:
        usual = getattr(self, f"_do_{verb}", None)
        told = self._scripted(verb, rest)
        if told is not None:
            self._say(told)
            if not told.startswith("354"):
                return
        if usual is None:
            self._say("502 5.5.1 not known here")
        elif told is None or verb == "data":
            usual(rest)

    def _scripted(self, step: str, rest: str) -> str | None:
        told = self.server.script(step, rest) if self.server.script else None
        if told == "":
            raise _HungUp
        return told

    def _line(self) -> str:
        line = self.rfile.readline(LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise _HungUp
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
        self.wfile.flush()

    def _do_ehlo(self, _: str) -> None:
        secure = self.server.context is not None and not isinstance(self.connection, ssl.SSLSocket)
        lines = ["stand-in", *(["STARTTLS"] if secure else []), "AUTH PLAIN", "8BITMIME"]
        for place, line in enumerate(lines):
            self._say(f"250{' ' if place == len(lines) - 1 else '-'}{line}")

    def _do_starttls(self, _: str) -> None:
        if self.server.context is None:
            return self._say("502 5.5.1 not known here")
        self._say("220 2.0.0 go on")
        self.rfile.close()
        self.wfile.close()
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        return None

    def _do_auth(self, rest: str) -> None:
        how, _, packed = rest.partition(" ")
        _, user, password, *_ = [*b64decode(packed).decode().split("\0"), "", "", ""]
        known = how.upper() == "PLAIN" and self.server.accounts.get(user) == password
        self._user = user if known else ""
        self._say("235 2.7.0 welcome" if known else "535 5.7.8 not known here")

    def _do_mail(self, rest: str) -> None:
        if self.server.accounts and not self._user:
            return self._say("530 5.7.0 log in first")
        self._sender, self._to = rest.partition(":")[2].split(" ")[0].strip("<> "), ""
        return self._say("250 2.1.0 sender noted")

    def _do_rcpt(self, rest: str) -> None:
        self._to = rest.partition(":")[2].split(" ")[0].strip("<> ")
        self._say("250 2.1.5 recipient noted")

    def _do_data(self, _: str) -> None:
        self._say("354 go on")
        lines, size = [], 0
        while (line := self.rfile.readline(LONGEST_MAIL)) != b".\r\n":
            size += len(line)
            if not line or size > LONGEST_MAIL:
                raise _HungUp
            lines.append(line[1:] if line.startswith(b"..") else line)
        told = self._scripted("content", self._to)
        if told is None or told.startswith("2"):
            encrypted = isinstance(self.connection, ssl.SSLSocket)
            self.server.take(Taken(self._sender, self._to, b"".join(lines), self._user, encrypted))
        self._say(told or "250 2.0.0 taken")

    def _do_rset(self, _: str) -> None:
        self._say("250 2.0.0 forgotten")

    _do_noop = _do_rset

    def _do_quit(self, _: str) -> None:
        self._say("221 2.0.0 good-bye")
        raise _HungUp


class MailStandIn(socketserver.ThreadingTCPServer):
    """The server; port 0 takes a free one. Bound to the loopback only."""

    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def __init__(
        self,
        port: int = 0,
        folder: Path | None = None,
        script: Script | None = None,
        accounts: dict[str, str] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.script, self.accounts, self.context = script, accounts or {}, context
        self.mails: list[Taken] = []
        self._folder, self._lock = folder, threading.Lock()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def take(self, mail: Taken) -> None:
        """Keep one mail, and lay it into the folder."""
        with self._lock:
            self.mails.append(mail)
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
                (self._folder / f"{len(list(self._folder.iterdir())) + 1:04d}.eml").write_bytes(mail.body)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing when a caller is gone."""

    def start(self) -> MailStandIn:
        """Serve in a thread of this process."""
        threading.Thread(target=self.serve_forever, args=(0.05,), name="mail-stand-in", daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()
