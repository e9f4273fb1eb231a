"""Which addresses may be reached where an outsider chose the name: public ones, and nothing of our own network."""

import ipaddress
import socket
from collections.abc import Callable
from typing import Final

from aiohttp import AddrInfoType

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where IPv4 is reached over IPv6 alone, a gateway does it (RFC 6052).
_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")


class PrivateAddressError(OSError):
    """A name led to an address that is not public; nothing was sent there."""


def is_public(address: str) -> bool:
    """Tell whether an address may be reached: a global unicast one, or one that stands for such an IPv4 address.

    Not so are loopback, private, link-local (with the metadata service of clouds at 169.254.169.254), shared, reserved,
    documentation, multicast and unspecified ones, and tunnels (6to4, Teredo). What is no address is not public either.
    """
    try:
        end = _end_of(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    if isinstance(end, ipaddress.IPv6Address) and (end.is_site_local or end.sixtofour or end.teredo):
        return False
    return end.is_global and not (end.is_multicast or end.is_reserved)


def _end_of(address: IPAddress) -> IPAddress:
    """Return the IPv4 address that an IPv6 address only stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address


class PublicOnly:
    """Makes sockets to public addresses alone, asked for each address right before it is connected to.

    So what is checked is what is reached, whatever a name stands for a moment later. `refused` tells that one was not.
    `may_reach` decides instead of `is_public`, where a test has no public address to offer.
    """

    def __init__(self, may_reach: Callable[[str], bool] = is_public) -> None:
        self._may_reach = may_reach
        self.refused = False

    def __call__(self, address: AddrInfoType) -> socket.socket:
        """Return an unconnected socket for this address. Raises PrivateAddressError where it is not public."""
        family, kind, protocol, _name, where = address
        if not self._may_reach(str(where[0])):
            self.refused = True
            raise PrivateAddressError
        return socket.socket(family, kind, protocol)
