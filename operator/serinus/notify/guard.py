"""Which addresses may be written to: a name in a manifest must not lead to the machine's own services or secrets."""

import socket
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

# What clouds tell a machine's credentials at, besides 169.254.0.0/16, which is link-local.
_METADATA = {ip_address("fd00:ec2::254"), ip_address("100.100.100.200"), ip_address("168.63.129.16")}


class Forbidden(Exception):
    """An address that may not be written to; the message names the host and why."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets through what is not of this machine; `origins` (scheme, host and port) are allowed even on loopback."""

    origins: Collection[str] = ()

    def check(self, url: str, address: str) -> None:
        """Raise Forbidden unless `url`, whose host is at `address`, may be written to."""
        ip = _plain(ip_address(address.partition("%")[0]))
        host = urlsplit(url).hostname
        if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved or ip in _METADATA:
            raise Forbidden(f"{host}: {ip} is an address that nobody may name")
        if ip.is_loopback and urlsplit(url).netloc not in [urlsplit(origin).netloc for origin in self.origins]:
            raise Forbidden(f"{host}: {ip} is the operator's own machine, which nobody may name")

    def check_host(self, host: str, port: int | None) -> None:
        """The same for a host that a library will look up again by itself."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            return  # then nothing can be sent there
        for *_, address in found:
            self.check(f"//{host}" if port is None else f"//{host}:{port}", str(address[0]))


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, as allow-lists have them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _plain(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address also where it is written as IPv6."""
    return (isinstance(ip, IPv6Address) and ip.ipv4_mapped) or ip
