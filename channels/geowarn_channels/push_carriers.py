"""How one file reaches a partner: an HTTP POST with an HMAC, or a folder that the partner empties."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import requests

from geowarn.domain.errors import PermanentFailure, TemporaryFailure
from geowarn_channels.files import holds, write_whole
from geowarn_channels.push_partners import Partner

_LARGEST_ANSWER = 64 * 1024  # bytes looked at; what a partner answers is only ever a status
_AGAIN = frozenset({408, 423, 425, 429})
_OURS = frozenset({401, 403, 404, 407, 410})  # every further message would fail the same way
_HAD_IT = 409  # the partner knows this key: it has the file


@dataclass(frozen=True, slots=True)
class Parcel:
    """One file on its way: `name` is also its file name in a folder."""

    name: str
    media_type: str
    body: bytes


def signature(secret: str, at: int, body: bytes) -> str:
    """`t=<seconds>,v1=<HMAC-SHA256 over "<seconds>.<body>", hexadecimal>`: an old request cannot be played again."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def post(partner: Partner, parcel: Parcel, key: str, now: datetime) -> None:
    """One request; raises TemporaryFailure where a later one may succeed, PermanentFailure where none will."""
    headers = {"Content-Type": parcel.media_type, "Idempotency-Key": key, "User-Agent": "geowarn"}
    if partner.secret:
        headers["X-Geowarn-Signature"] = signature(partner.secret, int(now.timestamp()), parcel.body)
    with requests.Session() as session:
        session.trust_env = False  # no proxy and no password from the environment
        try:
            with session.post(
                partner.url,
                data=parcel.body,
                headers=headers,
                timeout=(partner.seconds, partner.seconds),
                allow_redirects=False,
                stream=True,
            ) as answer:
                next(answer.iter_content(_LARGEST_ANSWER), b"")
                status = answer.status_code
        except requests.exceptions.SSLError:
            raise TemporaryFailure("webhook.certificate", code=partner.name, alarm=True) from None
        except requests.exceptions.RequestException as error:
            raise TemporaryFailure("webhook.no-answer", code=type(error).__name__) from None
    _judge(status, partner)


def _judge(status: int, partner: Partner) -> None:
    if 200 <= status < 300 or status == _HAD_IT:
        return
    code = f"{partner.name} {status}"
    if status in _AGAIN or status >= 500:
        raise TemporaryFailure("webhook.busy", code=code)
    if status in _OURS or 300 <= status < 400:
        raise TemporaryFailure("webhook.turned-away", code=code, alarm=True)
    raise PermanentFailure("webhook.refused", code=code)


def drop(folder: Path, parcel: Parcel) -> None:
    """Put the file there whole, under its name only when complete, and read it back; raises TemporaryFailure."""
    try:
        if not folder.is_dir():
            raise TemporaryFailure("webhook.no-folder", code=str(folder), alarm=True)
        write_whole(folder / parcel.name, parcel.body)
        if not holds(folder / parcel.name, parcel.body):
            raise TemporaryFailure("webhook.read-back", code=parcel.name)
    except OSError as error:
        raise TemporaryFailure("webhook.disk", code=error.strerror or "", alarm=True) from error
