"""Signed callbacks of the stand-in: sent, then delivered, then the person's reply, each a little later."""

from __future__ import annotations

import heapq
import itertools
import secrets
import threading
import time
from typing import Any
from urllib.parse import urlencode

import urllib3
from twilio.request_validator import RequestValidator
from urllib3.exceptions import HTTPError

SENT_AFTER, FINAL_AFTER, REPLY_AFTER = 0.05, 0.15, 0.4  # seconds
CALLERS = 4


class Callbacks:
    """Keeps what is still to be reported, in order of time, and reports it from a few threads."""

    def __init__(self, account: str, key: str) -> None:
        self._account = account
        self._validator = RequestValidator(key)
        self._pool = urllib3.PoolManager(maxsize=CALLERS, retries=False, timeout=urllib3.Timeout(5))
        self._due: list[tuple[float, int, str, dict[str, str]]] = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        self._stopped = False
        for _ in range(CALLERS):
            threading.Thread(target=self._run, daemon=True).start()

    def follow(self, message: dict[str, Any], address: str, kind: str) -> None:
        """Report this message's fate to `address`."""
        now = time.monotonic()
        with self._wake:
            self._put(now + SENT_AFTER, address, self._form(message, "sent"))
            if kind == "undelivered":
                final = self._form(message, "undelivered") | {"ErrorCode": "30005"}
            else:
                final = self._form(message, "delivered")
            self._put(now + FINAL_AFTER, address, final)
            self._wake.notify_all()

    def reply(self, message: dict[str, Any], status_address: str, text: str) -> None:
        """Send back what the person at this number answers."""
        address = f"{status_address.partition('/hooks/')[0]}/hooks/twilio/inbound"
        form = {
            "AccountSid": self._account,
            "Body": text,
            "From": message["to"],
            "MessageSid": "SM" + secrets.token_hex(16),
            "To": message["from"] or "",
        }
        with self._wake:
            self._put(time.monotonic() + REPLY_AFTER, address, form)
            self._wake.notify_all()

    def stop(self) -> None:
        """Report nothing more."""
        with self._wake:
            self._stopped = True
            self._wake.notify_all()

    def _form(self, message: dict[str, Any], status: str) -> dict[str, str]:
        return {
            "AccountSid": self._account,
            "ApiVersion": "2010-04-01",
            "From": message["from"] or "",
            "MessageSid": message["sid"],
            "MessageStatus": status,
            "SmsSid": message["sid"],
            "SmsStatus": status,
            "To": message["to"],
        }

    def _put(self, due: float, address: str, form: dict[str, str]) -> None:
        heapq.heappush(self._due, (due, next(self._order), address, form))

    def _next(self) -> tuple[str, dict[str, str]] | None:
        with self._wake:
            while not self._stopped:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    _, _, address, form = heapq.heappop(self._due)
                    return address, form
                self._wake.wait(wait)
        return None

    def _run(self) -> None:
        while (report := self._next()) is not None:
            self._post(*report)

    def _post(self, address: str, form: dict[str, str]) -> None:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": self._validator.compute_signature(address, form),
        }
        try:
            self._pool.request("POST", address, body=urlencode(form).encode(), headers=headers)
        except HTTPError:
            return  # nobody listens: the provider would try again, the stand-in lets it be
