"""What a host or an address of the network says: whether it is this machine, and what one person can have many of."""

from __future__ import annotations

import ipaddress

LONGEST = 64  # characters kept of what is no address


def is_here(host: str) -> bool:
    """Whether a host can only be this machine; a name that merely begins like one (127.example.com) is not."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def network_of(origin: str) -> str:
    """What one person can hardly have many of: the address, or of version 6 its network of 64 bits.

    An address of version 4 that a socket for both shows as one of version 6 (RFC 4291 section 2.5.5.2) is itself again:
    otherwise all of them would be one network.
    """
    try:
        address = ipaddress.ip_address(origin)
    except ValueError:
        return origin[:LONGEST]
    if address.version == 6:
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)
