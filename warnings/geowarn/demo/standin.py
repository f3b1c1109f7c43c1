"""A loopback stand-in of the SMS provider's Messages API, for demo and tests: a server of its own.

`python -m geowarn.demo.standin --port N --state FILE` speaks the part of the interface the twilio SDK needs:
create, list by `To` and `DateSent`, signed status callbacks and replies. Every accepted message is one line of
the state file, so that messages per number can be counted afterwards. The numbers in `FAULTS` misbehave on purpose.
"""

from __future__ import annotations

import argparse
import hmac
import json
import re
import secrets
import sys
import threading
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from geowarn.demo.mail_standin import MailStandIn
from geowarn.demo.standin_callbacks import Callbacks

ACCOUNT = "AC" + "0" * 32
LOOPBACK_KEY = "loopback-only"  # what the demo installation signs in with; opens nothing but this server

FAULTS = {
    "+15005550001": "invalid",  # 21211
    "+15005550004": "opted-out",  # 21610
    "+15005550010": "hang",  # accepts, then never answers
    "+15005550011": "error-after",  # accepts, then answers 500
    "+15005550012": "busy-first",  # 429, then accepts
    "+15005550013": "reset-after",  # accepts, then drops the connection
    "+15005550014": "unavailable-first",  # 503 without accepting, then accepts
    "+15005550015": "undelivered",  # accepts; a callback says 30005
}


# The demo's people on duty answer what asks to be answered with 1, except the one who never does.
ON_DUTY = re.compile(r"\+1208555010[0-8]")
# So do the places that must answer, except those whose number ends in 8 or 9.
CALLED = re.compile(r"\+1(?:209|210)55501\d[0-7]")
ASKS = re.compile(r"回复1|reply 1", re.IGNORECASE)


def _answers(number: str) -> bool:
    return bool(ON_DUTY.fullmatch(number) or CALLED.fullmatch(number))


class Far:
    """What the far end knows: messages in order, by number, and on disk."""

    def __init__(self, state: Path, callbacks: Callbacks) -> None:
        self._lock = threading.Lock()
        self._file = state.open("a", encoding="utf-8")
        self._by_number: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._first: set[str] = set()
        self._callbacks = callbacks
        for line in state.read_text("utf-8").splitlines():
            message = json.loads(line)
            self._by_number[message["to"]].append(message)

    def once(self, number: str) -> bool:
        """True the first time it is asked for this number."""
        with self._lock:
            new = number not in self._first
            self._first.add(number)
            return new

    def accept(self, form: dict[str, str], sid_of_account: str, outcome: str) -> dict[str, Any]:
        """Keep the message, on disk first, and start its status callbacks."""
        now = datetime.now(UTC)
        message = {
            "sid": "SM" + secrets.token_hex(16),
            "account_sid": sid_of_account,
            "to": form["To"],
            "from": form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "body": form["Body"],
            "status": "queued",
            "num_segments": "1",
            "date_created": format_datetime(now),
            "date_sent": format_datetime(now),
            "date_updated": format_datetime(now),
            "error_code": None,
            "validity_period": form.get("ValidityPeriod"),
            "at": now.timestamp(),
        }
        with self._lock:
            self._by_number[form["To"]].append(message)
            self._file.write(json.dumps(message, ensure_ascii=False) + "\n")
            self._file.flush()
        if form.get("StatusCallback"):
            self._callbacks.follow(message, form["StatusCallback"], outcome)
            if _answers(form["To"]) and ASKS.search(form["Body"]):
                self._callbacks.reply(message, form["StatusCallback"], "1")
        return message

    def sent_to(self, number: str, since: datetime | None) -> list[dict[str, Any]]:
        """Messages to a number, newest first."""
        with self._lock:
            held = list(self._by_number.get(number, ()))
        return [m for m in reversed(held) if since is None or m["at"] >= since.timestamp()]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one packet
    timeout = 60
    server: StandIn

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class calls it that
        """Requests are not logged: they hold numbers."""

    def _answer(self, status: int, payload: Any, **headers: str) -> None:
        body = json.dumps(payload, ensure_ascii=False).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _refuse(self, status: int, code: int, message: str) -> None:
        self._answer(status, {"status": status, "code": code, "message": message, "more_info": ""})

    def _admitted(self) -> bool:
        known = "Basic " + b64encode(f"{self.server.account}:{self.server.key}".encode()).decode()
        if hmac.compare_digest(self.headers.get("Authorization", ""), known):
            return True
        self._refuse(401, 20003, "Authenticate")
        return False

    def do_GET(self) -> None:
        """List messages by `To` and `DateSent>`."""
        parts = urlsplit(self.path)
        if parts.path == "/":
            return self._answer(200, {"stand-in": "messages"})
        if not self._admitted():
            return None
        if parts.path != self.server.messages_path:
            return self._refuse(404, 20404, "The requested resource was not found")
        query = {name.rstrip("=>"): values[0] for name, values in parse_qs(parts.query).items()}
        since = datetime.fromisoformat(query["DateSent"]) if "DateSent" in query else None
        found = self.server.far.sent_to(query.get("To", ""), since)
        return self._answer(
            200, {"messages": found, "page": 0, "page_size": 50, "uri": parts.path, "next_page_uri": None}
        )

    def do_POST(self) -> None:
        """Create a message."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if not self._admitted():
            return None
        if urlsplit(self.path).path != self.server.messages_path:
            return self._refuse(404, 20404, "The requested resource was not found")
        form = dict(parse_qsl(body))
        if not form.get("To", "").startswith("+"):
            return self._refuse(400, 21211, "Invalid 'To' number")
        if not form.get("Body"):
            return self._refuse(400, 21602, "Message body is required")
        if not (form.get("From") or form.get("MessagingServiceSid")):
            return self._refuse(400, 21603, "A 'From' number is required")
        time.sleep(self.server.latency)
        return self._create(form, FAULTS.get(form["To"], ""))

    def _create(self, form: dict[str, str], kind: str) -> None:
        if kind == "invalid":
            return self._refuse(400, 21211, "Invalid 'To' number")
        if kind == "opted-out":
            return self._refuse(400, 21610, "Attempt to send to unsubscribed recipient")
        if kind == "busy-first" and self.server.far.once(form["To"]):
            return self._answer(429, {"status": 429, "code": 20429, "message": "Too many requests"}, Retry_After="1")
        if kind == "unavailable-first" and self.server.far.once(form["To"]):
            return self._refuse(503, 20503, "Service unavailable")
        message = self.server.far.accept(form, self.server.account, kind)
        if kind == "hang":
            self.server.stopping.wait(60)
        if kind in ("hang", "reset-after"):
            self.close_connection = True
            return None
        if kind == "error-after":
            return self._refuse(500, 20500, "Internal server error")
        return self._answer(201, message)


class StandIn(ThreadingHTTPServer):
    """The server; `port` 0 takes a free one. Bound to the loopback only."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self, port: int, state: Path, account: str = ACCOUNT, key: str = LOOPBACK_KEY, latency: float = 0.0
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.account, self.key, self.latency = account, key, latency
        self.messages_path = f"/2010-04-01/Accounts/{account}/Messages.json"
        self.stopping = threading.Event()
        self.callbacks = Callbacks(account, key)
        self.far = Far(state, self.callbacks)

    @property
    def address(self) -> str:
        """The base URL to give the SDK."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing when a caller is gone: callers that die are what this server is for."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Stop serving and calling back."""
        self.stopping.set()
        self.callbacks.stop()
        self.shutdown()
        self.server_close()


def _stop_with(stream: Any, server: StandIn) -> None:
    while stream.read(1):
        pass
    server.stop()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted, or until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m geowarn.demo.standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--account-sid", default=ACCOUNT)
    parser.add_argument("--auth-token", default=LOOPBACK_KEY)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--stop-with-stdin", action="store_true", help="end when whoever started it ends")
    parser.add_argument("--mail-port", type=int, default=0, help="of a stand-in of a mail server beside it")
    parser.add_argument("--mail", type=Path, help="folder that takes the mails")
    given = parser.parse_args(arguments)
    server = StandIn(given.port, given.state, given.account_sid, given.auth_token, given.latency_ms / 1000)
    if given.mail is not None:
        MailStandIn(given.mail_port, given.mail).start()
    print(server.address, flush=True)
    if given.stop_with_stdin:
        threading.Thread(target=_stop_with, args=(sys.stdin.buffer, server), daemon=True).start()
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
