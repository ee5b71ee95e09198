"""Where requests may go: anywhere on the public network, and to the private places that were named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from ssrfguard import DEFAULT_DENIED, AddressTable, Block, Policy, Reach

from engine.errors import Problem
from engine.settings import Settings

OTHERS = frozenset(range(1, 1024)) - {80, 443}
"""Ports below 1024 that are none of web servers: of mail and the like, none speaks HTTP for us."""
EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
MAX_REDIRECTS = 5
DENIED = AddressTable(
    (
        *DEFAULT_DENIED.blocks,
        Block(
            ip_network("168.63.129.16/32"),
            "the host agent of a cloud provider",
            "outside of the registries",
            Reach.DENIED,
        ),
    )
)
"""Loopback, private, link-local, multicast and reserved networks, also inside of IPv6 wrappers, and what serves
machines in a cloud."""


@dataclass(frozen=True)
class Egress:
    """What a client may connect to. The address is judged when the socket is opened, not before."""

    private: bool = False
    """May it ask any address, this machine and its network included?"""
    hosts: tuple[str, ...] = ()
    """Hosts that may be asked whatever their address: `host`, or `host:port`."""

    def policy(self, url: str) -> Policy:
        """The rules for this URL; those of a named host reach that host and nothing else."""
        origin = origin_of(url)
        for host, port in self._named:
            if origin is not None and origin[0] == host and port in (None, origin[1]):
                return _only(host, port)
        return _anywhere() if self.private else _public()

    @cached_property
    def _named(self) -> tuple[tuple[str, int | None], ...]:
        return tuple(map(named, self.hosts))


@lru_cache(maxsize=1)
def _every_port() -> frozenset[int]:
    """All ports, which take 7 MB: made for the first server that is asked."""
    return frozenset(range(1, 65536))


GUARDED = Egress()
"""The public network, and nothing else."""


def egress_of(settings: Settings) -> Egress:
    """What the settings allow."""
    own = [":".join(map(str, origin))] if (origin := origin_of(settings.s3_endpoint or "")) else []
    return Egress(settings.private_hosts == "allow", (*settings.allowed_hosts, *own))


def origin_of(url: str) -> tuple[str, int] | None:
    """Host and port that a URL names; None where it names none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        return (parts.hostname or "").rstrip("."), port
    except (ValueError, KeyError):
        return None


def named(entry: str) -> tuple[str, int | None]:
    """`host` or `host:port` taken apart; an IPv6 address with a port stands in brackets."""
    try:
        bare = ip_address(entry.strip("[]"))
    except ValueError:
        pass
    else:
        return str(bare), None
    try:
        parts = urlsplit(f"//{entry}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.path or parts.query or parts.username is not None:
        raise Problem(
            "ProcessParameterInvalid",
            f"{entry!r} is no host that may be allowed",
            hint="Write allowed_hosts as `example.org`, `127.0.0.1:8080` or `[::1]:8080`.",
        )
    return host.rstrip("."), port


@lru_cache(maxsize=1)
def _public() -> Policy:
    # What stands before an @ names nobody: the host after it is looked up and judged like any other.
    return Policy(
        denied_networks=DENIED,
        allowed_ports=_every_port() - OTHERS,
        allow_userinfo=True,
        max_redirects=MAX_REDIRECTS,
    )


@lru_cache(maxsize=1)
def _anywhere() -> Policy:
    return replace(_public(), allowed_networks=_everywhere(), allowed_ports=_every_port())


@lru_cache(maxsize=256)
def _only(host: str, port: int | None) -> Policy:
    ports = _every_port() if port is None else frozenset({port})
    return replace(
        _public(), allowed_networks=_everywhere(), allowed_hosts=frozenset({host}), allowed_ports=ports
    )


def _everywhere() -> tuple[IPv4Network | IPv6Network, ...]:
    return EVERYWHERE
