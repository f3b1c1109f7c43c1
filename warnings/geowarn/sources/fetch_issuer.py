"""Fetches feeds and messages of other issuers: conditional, bounded, in one connection, and never raising."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from geowarn.domain.errors import Refused
from geowarn.domain.issuers import Issuer
from geowarn.ports import Brought
from geowarn.sources.fetch_http import Absent, HttpClient, limits_of, shown

_CONDITIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
_FAIR = 5.0  # seconds that one message may take though many wait
_TOO_SHORT = 0.1  # seconds in which nothing is worth asking for


class HttpCarrier:
    """`geowarn.ports.Carrier` over HTTP; `stopped` waits so many seconds and says whether the program is to stop."""

    def __init__(self, stopped: Callable[[float], bool]) -> None:
        self._stopped = stopped

    def get(
        self, issuer: Issuer, addresses: Sequence[tuple[str, Mapping[str, str]]], once: bool = False
    ) -> Sequence[Brought | Exception]:
        """Each address with what is known of it, one after the other within the issuer's limits; never raises.

        With `once` each is tried a single time, in its share of the time; where that is over, the last have no answer.
        """
        found: list[Brought | Exception] = []
        with HttpClient(limits_of(issuer.http), self._stopped) as client:
            for address, known in addresses:
                if once and client.left < _TOO_SHORT:
                    break
                share = _share(client.left, len(addresses) - len(found)) if once else None
                try:
                    found.append(_brought(client, address, known, share))
                except (Refused, OSError, ValueError) as fault:
                    found.append(fault)
        return found


def _share(left: float, waiting: int) -> float:
    """Seconds for the next of those that wait: an equal part, and more while the others can still have theirs."""
    return max(left / waiting, min(_FAIR, left / 4))


def _brought(client: HttpClient, address: str, known: Mapping[str, str], within: float | None) -> Brought:
    conditions = {header: known[key] for key, header in _CONDITIONS.items() if key in known}
    try:
        answer = client.get(address, validators=conditions, within=within)
    except Absent:
        raise Refused("fetch.absent", url=shown(address)) from None
    if answer.status == 304:
        if not conditions:
            raise Refused("fetch.status", url=shown(address), status=304, reason="-")
        return Brought(None, known)
    return Brought(answer.body, {key: answer.headers[key][:200] for key in _CONDITIONS if key in answer.headers})
