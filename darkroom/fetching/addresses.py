"""Which addresses a client's URL may lead to: the public internet's, and none of those inside."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# Python's own `is_global` has changed between patch releases; what must never be reached is written down here.
FORBIDDEN_V4 = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3",
        "168.63.129.16/32",  # Azure's metadata and DNS, at an address that is public elsewhere
    )
)  # fmt: skip
# Of IPv6 only global unicast is left, without what carries an IPv4 address in it: Teredo (in 2001::/23) and 6to4.
# IPv4-mapped and NAT64 addresses (64:ff9b::/96) lie outside it.
ALLOWED_V6 = ip_network("2000::/3")
FORBIDDEN_V6 = tuple(ip_network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


def is_public(address: str) -> bool:
    """Of a literal address; False for what is none."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _is_public_v4(parsed) if isinstance(parsed, IPv4Address) else _is_public_v6(parsed)


def _is_public_v4(address: IPv4Address) -> bool:
    return address.is_global and not any(address in network for network in FORBIDDEN_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    return address in ALLOWED_V6 and address.is_global and not any(address in network for network in FORBIDDEN_V6)
