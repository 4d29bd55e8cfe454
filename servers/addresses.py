"""Which URLs, ports and addresses another host may have. Pure rules, no I/O.

The address lists are explicit: `ipaddress.is_private` and `is_global` differ between
Python versions and call several cloud metadata services global. Of IPv6 only global
unicast is taken, so IPv4 in any IPv6 coat (mapped, NAT64, 6to4, Teredo) is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from servers.failures import Refused

Address = IPv4Address | IPv6Address

LOOPBACK = tuple(map(ip_network, ("127.0.0.0/8", "::1/128")))
PRIVATE = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
)
# Unique local addresses on which clouds serve the credentials of the machine.
METADATA = tuple(map(ip_network, ("fd00:ec2::/32", "fd20:ce::/32", "fd00:42::42/128")))
NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # carriers; Alibaba's metadata at 100.100.100.200
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's wire server
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",  # Oracle's metadata at 192.0.0.192
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "3fff::/20",
        ),
    )
)
PUBLIC_V6 = ip_network("2000::/3")
METADATA_NAMES = frozenset(
    {
        "metadata",
        "instance-data",
        "instance-data.ec2.internal",
        "metadata.azure.com",
        "metadata.azure.internal",
        "metadata.goog",
        "metadata.google.internal",
        "metadata.packet.net",
        "metadata.platformequinix.com",
        "metadata.tencentyun.com",
    }
)
MAIL_AND_SSH_PORTS = frozenset({22, 25, 109, 110, 143, 465, 587, 993, 995, 2525})
MAX_URL = 2000

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)"
    r"(?P<query>\?[^#]*)?(?P<fragment>#.*)?"
)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::(?P<port>[0-9]*))?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_\-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL. `path` is as sent, query included; `key` names its connections.

    `owner` keeps the connections of tenants apart from each other.
    """

    tls: bool
    host: str
    port: int
    path: bytes
    authority: bytes
    key: tuple[bool, str, int, str]


@dataclass(frozen=True, slots=True)
class Rules:
    """allow_private: loopback and private ranges too, http, and any port.

    own_ports: where our own parts listen on loopback; never a target.
    """

    allow_private: bool = False
    own_ports: frozenset[int] = frozenset()

    def check_url(self, url: str, owner: str = "") -> Target:
        """Raises `Refused` with what is wrong."""
        scheme, authority, path = _split(url)
        host, port = _host_and_port(authority, 443 if scheme == "https" else 80)
        self._check_scheme(scheme)
        self._check_port(port)
        if literal := literal_address(host):
            self.check_address(literal, port)
        default = port == (443 if scheme == "https" else 80)
        shown = f"[{host}]" if ":" in host else host
        return Target(
            tls=scheme == "https",
            host=host,
            port=port,
            path=path.encode(),
            authority=(shown if default else f"{shown}:{port}").encode(),
            key=(scheme == "https", host, port, owner),
        )

    def check_address(self, address: Address, port: int) -> None:
        """Raises `Refused` unless a connection to this address is allowed."""
        if getattr(address, "scope_id", None):
            raise Refused(f"{address} belongs to one network interface.")
        if _within(address, METADATA):
            raise Refused(f"{address} is a cloud metadata address.")
        if self.allow_private and _within(address, (*LOOPBACK, *PRIVATE)):
            if port in self.own_ports and _within(address, LOOPBACK):
                raise Refused(f"Port {port} belongs to this product itself.")
            return
        if not _is_public(address):
            raise Refused(f"{address} is not a public address.")

    def _check_scheme(self, scheme: str) -> None:
        if scheme != "https" and not (self.allow_private and scheme == "http"):
            wanted = "http:// or https://" if self.allow_private else "https://"
            raise Refused(f"The URL must begin with {wanted}.")

    def _check_port(self, port: int) -> None:
        if port in MAIL_AND_SSH_PORTS and not self.allow_private:
            raise Refused(f"Port {port} belongs to mail or SSH.")


def literal_address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _within(address: Address, networks: tuple[object, ...]) -> bool:
    return any(address in network for network in networks)  # type: ignore[operator]


def _is_public(address: Address) -> bool:
    if address.version == 6 and address not in PUBLIC_V6:
        return False
    return not _within(address, NOT_PUBLIC)


def _split(url: str) -> tuple[str, str, str]:
    if len(url) > MAX_URL:
        raise Refused(f"The URL is longer than {MAX_URL} characters.")
    if not url.isascii():
        raise Refused(
            "The URL has characters beyond ASCII; write the host as xn--... and"
            " percent-encode the rest."
        )
    if any(char <= " " or char in "\\\x7f" for char in url):
        raise Refused("The URL has spaces, control characters or backslashes.")
    parts = _URL.fullmatch(url)
    if parts is None:
        raise Refused("This is no URL like https://host/mcp.")
    if parts["fragment"] is not None:
        raise Refused("The URL has a fragment (#...), which is never sent.")
    return (
        parts["scheme"].lower(),
        parts["authority"],
        (parts["path"] or "/") + (parts["query"] or ""),
    )


def _host_and_port(authority: str, default: int) -> tuple[str, int]:
    if "@" in authority:
        raise Refused(
            "The URL has a user name or password; give credentials as a header."
        )
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise Refused(f"{authority or 'Nothing'} is no host name or address.")
    port = int(parts["port"][:6]) if parts["port"] else default
    if not 0 < port < 65536:
        raise Refused(f"{parts['port']} is no port.")
    return _host(parts["host"].lower()), port


def _host(host: str) -> str:
    """One spelling for each host; those that systems read differently are refused."""
    if host.startswith("["):
        if (address := literal_address(host[1:-1])) is None:
            raise Refused(f"{host} is no IPv6 address.")
        return str(address)
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        if literal_address(host) is None:
            raise Refused(f"{host} is no IPv4 address of four decimal numbers.")
        return host
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise Refused(f"{host} is no host name.")
    if host in METADATA_NAMES:
        raise Refused(f"{host} is a cloud metadata service.")
    return host
