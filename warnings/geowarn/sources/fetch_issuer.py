"""Fetches feeds and messages of other issuers: conditional, bounded, in one connection, and never raising."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from geowarn.domain.errors import Refused
from geowarn.domain.issuers import Issuer
from geowarn.ports import Brought
from geowarn.sources.fetch_http import Absent, HttpClient, limits_of, shown

_CONDITIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}


class HttpCarrier:
    """`geowarn.ports.Carrier` over HTTP; `stopped` waits so many seconds and says whether the program is to stop."""

    def __init__(self, stopped: Callable[[float], bool]) -> None:
        self._stopped = stopped

    def get(self, issuer: Issuer, addresses: Sequence[tuple[str, Mapping[str, str]]]) -> Sequence[Brought | Exception]:
        """Each address with what is known of it, one after the other within the issuer's limits; never raises."""
        found: list[Brought | Exception] = []
        with HttpClient(limits_of(issuer.http), self._stopped) as client:
            for address, known in addresses:
                try:
                    found.append(_brought(client, address, known))
                except (Refused, OSError, ValueError) as fault:
                    found.append(fault)
        return found


def _brought(client: HttpClient, address: str, known: Mapping[str, str]) -> Brought:
    conditions = {header: known[key] for key, header in _CONDITIONS.items() if key in known}
    try:
        answer = client.get(address, validators=conditions)
    except Absent:
        raise Refused("fetch.absent", url=shown(address)) from None
    if answer.status == 304:
        if not conditions:
            raise Refused("fetch.status", url=shown(address), status=304, reason="-")
        return Brought(None, known)
    return Brought(answer.body, {key: answer.headers[key][:200] for key in _CONDITIONS if key in answer.headers})
