"""Addresses on the web: each is resolved once, checked, and the checked one is connected to.

A name is resolved once; connecting to what was checked leaves no room for DNS rebinding.
"""

import http.client
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from noria.errors import SourceError

TIMEOUT = 30.0
# Python 3.11's is_global lets through what embeds an IPv4 address (RFC 4291, 6052, 8215), the
# site-local and other special blocks: only global unicast is public, without 6to4 (RFC 3056) and
# the documentation's block (RFC 9637). 6to4's relays (RFC 7526) and the block for protocols
# (192.0.0.0/24, RFC 6890, of which 3.11 knows two parts) are no public hosts either.
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
SPECIAL = tuple(
    map(ipaddress.ip_network, ("2002::/16", "3fff::/20", "192.88.99.0/24", "192.0.0.0/24"))
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Place:
    """An address that was looked at and found public."""

    parts: SplitResult
    addresses: tuple[str, ...]  # tried in turn, in the resolver's order
    port: int


def locate(url: str, *, insecure: bool = False) -> Place:
    """Resolve an address once and refuse it unless everything it resolves to is public."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise SourceError(f"'{url}' is not an address: {error}") from error
    if parts.scheme != "https" and not (insecure and parts.scheme == "http"):
        raise SourceError(f"'{url}' is not https; use an https address")
    if not parts.hostname or parts.username or parts.password:
        raise SourceError(f"'{url}' needs a host name and no user name or password")
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SourceError(f"'{url}': the host cannot be found: {error}") from error
    addresses = tuple(dict.fromkeys(str(item[4][0]) for item in found))
    for address in addresses:
        if not is_public(ipaddress.ip_address(address.partition("%")[0])):
            raise SourceError(f"'{url}' leads to {address}, which is not a public address")
    return Place(parts, addresses, port)


def is_public(address: Address) -> bool:
    """Whether an address is one that anybody on the internet could be reached at."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in GLOBAL_UNICAST:
            return False
    if any(address in network for network in SPECIAL):
        return False
    return address.is_global and not address.is_multicast


def connect(place: Place, timeout: float = TIMEOUT) -> http.client.HTTPConnection:
    """Connect to an address that was checked; the certificate is checked against the name.

    `timeout` is in seconds, for each step. Raises OSError (an ssl.SSLError where the certificate
    is not the name's).
    """
    host = place.parts.hostname or ""
    secure = place.parts.scheme == "https"
    # The class only tells which port the Host header leaves out.
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(host, place.port, timeout=timeout)
    raw = _dialled(place, timeout)
    try:
        connection.sock = (
            ssl.create_default_context().wrap_socket(raw, server_hostname=host) if secure else raw
        )
    except OSError:
        raw.close()
        raise
    return connection


def _dialled(place: Place, timeout: float) -> socket.socket:
    for address in place.addresses[:-1]:
        try:
            return socket.create_connection((address, place.port), timeout=timeout)
        except OSError:
            continue  # a host with IPv6 may be reachable by IPv4 alone
    return socket.create_connection((place.addresses[-1], place.port), timeout=timeout)
