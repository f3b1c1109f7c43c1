"""One call to a partner's address: looked up once, refused where it leads inside, bounded in time and size.

The connection goes to the very address that was looked at (a name cannot lead elsewhere a moment later), follows no
redirect, uses no proxy of the environment, and ends after its time however slowly the far end drips.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from geowarn.domain.errors import Refused
from geowarn.pipeline.hooks import HookPlaces, check_address
from geowarn.ports import HookAnswer, HookCall

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def inner(address: Address) -> Address:
    """The address an IPv6 form of an IPv4 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def may_call(address: Address, places: HookPlaces) -> bool:
    """Whether a call may go there: out into the world; to this machine only on synthetic input."""
    found = inner(address)
    if places.synthetic:
        return found.is_loopback
    if found.is_multicast or found.is_unspecified or found.is_link_local or found.is_loopback:
        return False
    return found.is_global or (places.private and found.is_private)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`ports.HookPost`."""

    places: HookPlaces
    seconds: float

    def __call__(self, call: HookCall) -> HookAnswer:
        """The status, or what was in the way."""
        try:
            check_address(call.url, self.places)
            return HookAnswer(self._post(call))
        except Refused as refusal:
            return HookAnswer(None, refusal.key)
        except ssl.SSLError:
            return HookAnswer(None, "partners.certificate")
        except (OSError, http.client.HTTPException, ValueError):
            return HookAnswer(None, "partners.no-answer")

    def _post(self, call: HookCall) -> int:
        parts = urlsplit(call.url)
        host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        address = self._looked_up(host, port)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with self._line(address, port, host if parts.scheme == "https" else None) as (line, over):
            connection = http.client.HTTPConnection(host, port)
            connection.sock = line
            connection.request("POST", target, call.body, {"Host": parts.netloc, **call.headers, "Connection": "close"})
            status = connection.getresponse().status  # what else it says is of no use: nothing of it is read
            if over.is_set():
                raise TimeoutError
            return status

    def _looked_up(self, host: str, port: int) -> str:
        found = [info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        if not found or not all(may_call(ipaddress.ip_address(str(one)), self.places) for one in found):
            raise Refused("partners.hook-private", host=host)
        return str(found[0])

    @contextlib.contextmanager
    def _line(self, address: str, port: int, tls_name: str | None) -> Iterator[tuple[socket.socket, threading.Event]]:
        line = socket.create_connection((address, port), self.seconds)
        if tls_name is not None:
            line = ssl.create_default_context().wrap_socket(
                line, server_hostname=tls_name, do_handshake_on_connect=False
            )
        # The time-out of a socket starts again with every byte; this one does not.
        over = threading.Event()
        end = threading.Timer(self.seconds, _cut, (line, over))
        end.daemon = True
        end.start()
        try:
            if isinstance(line, ssl.SSLSocket):
                line.do_handshake()
            yield line, over
        finally:
            end.cancel()
            line.close()


def _cut(line: socket.socket, over: threading.Event) -> None:
    """End both directions below any encryption, so that whoever waits for a byte wakes up."""
    over.set()
    with contextlib.suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)
