"""How many connections a server process has, whose they are, and which of them goes when there is no room."""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import Protocol

from quanvolve.studio._settings import Limits, is_loopback


class Visitor(Protocol):
    """A connection."""

    address: str

    def leave(self) -> None:
        """Close at once: another one needs the place."""


class Door:
    """The connections of a server process.

    There is always room for a new one while others wait: the one that has been without a whole request for longest
    goes. Connections that hold a place and say nothing therefore keep nobody out.

    Args:
        limits: how many connections there may be.
    """

    def __init__(self, limits: Limits) -> None:
        self._most = min(limits.connections, max(8, _descriptors() // 2))
        self._most_of_one = limits.connections_of_one
        self._inside: dict[Visitor, str] = {}
        self._of: Counter[str] = Counter()
        self._waiting: dict[Visitor, None] = {}  # in the order in which they began to

    def enter(self, visitor: Visitor) -> bool:
        """Whether there is room for a connection, which then waits for its first request."""
        place = network(visitor.address)
        if place and self._of[place] >= self._most_of_one and not self._make_room(place):
            return False
        if len(self._inside) >= self._most and not self._make_room(None):
            return False
        self._inside[visitor] = place
        self._of[place] += 1
        self._waiting[visitor] = None
        return True

    def waits(self, visitor: Visitor) -> None:
        """A connection has been answered, and waits for the next request."""
        if visitor in self._inside:
            self._waiting[visitor] = None

    def works(self, visitor: Visitor) -> None:
        """The head of a request is here."""
        self._waiting.pop(visitor, None)

    def left(self, visitor: Visitor) -> None:
        """A connection has ended."""
        self._waiting.pop(visitor, None)
        place = self._inside.pop(visitor, None)
        if place is not None:
            self._of[place] -= 1
            if not self._of[place]:
                del self._of[place]

    def _make_room(self, place: str | None) -> bool:
        longest = next((visitor for visitor in self._waiting if place is None or self._inside[visitor] == place), None)
        if longest is None:
            return False
        self.left(longest)
        longest.leave()
        return True


def network(address: str) -> str:
    """Where an address counts: itself, or its network of 64 bits in IPv6; nowhere if it is this machine's own.

    A reverse proxy on this machine asks for everybody.

    Examples:
        >>> [network(one) for one in ("192.0.2.7", "2001:db8::1:2", "127.0.0.1", "::1", "")]
        ['192.0.2.7', '2001:db8::/64', '', '', '']
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return network(str(ip.ipv4_mapped))
        return "" if ip.is_loopback else str(ipaddress.ip_network((int(ip) >> 64 << 64, 64)))
    return "" if is_loopback(address) else address


def _descriptors() -> int:
    """How many files and connections this process may have open."""
    try:
        import resource
    except ModuleNotFoundError:  # of Windows, which has no such limit
        return 2**20
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2**20 if soft == resource.RLIM_INFINITY else soft
