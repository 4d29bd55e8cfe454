"""Which URLs and addresses pass: the tables. No connection is ever made here."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from servers.addresses import Rules
from servers.failures import Refused
from tests.cases import cases

OWN = frozenset({8000, 5432})
PUBLIC = Rules()
PRIVATE = Rules(allow_private=True, own_ports=OWN)

BAD_EVERYWHERE = [
    "0.0.0.0", "0.1.2.3", "100.64.0.1", "100.100.100.200", "168.63.129.16",
    "169.254.169.254", "169.254.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255", "::", "::ffff:127.0.0.1", "::ffff:7f00:1",
    "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1",
    "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "5f00::1", "fe80::1",
    "fe80::1%eth0", "fec0::1", "ff02::1", "fd00:ec2::254", "fd20:ce::254",
    "::ffff:169.254.169.254", "100::1", "fd12::1%eth0",
]  # fmt: skip
BAD_WITHOUT_PRIVATE = [
    "127.0.0.1", "127.1.2.3", "::1", "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.1.1", "fc00::1", "fd12::1",
]  # fmt: skip
GOOD = ["1.1.1.1", "172.32.0.1", "8.8.8.8", "2606:4700::1111", "2a00:1450::1"]


@cases("address", BAD_EVERYWHERE)
def test_addresses_that_no_setting_opens(address: str) -> None:
    for rules in (PUBLIC, PRIVATE):
        with pytest.raises(Refused):
            rules.check_address(ip_address(address), 443)


@cases("address", BAD_WITHOUT_PRIVATE)
def test_private_addresses_need_the_setting(address: str) -> None:
    with pytest.raises(Refused):
        PUBLIC.check_address(ip_address(address), 443)
    PRIVATE.check_address(ip_address(address), 443)


@cases("address", GOOD)
def test_public_addresses_pass(address: str) -> None:
    PUBLIC.check_address(ip_address(address), 443)
    PRIVATE.check_address(ip_address(address), 443)


def test_ports_of_our_own_parts_are_no_targets() -> None:
    for address in ("127.0.0.1", "127.8.8.8", "::1"):
        with pytest.raises(Refused, match="belongs to this product"):
            PRIVATE.check_address(ip_address(address), 8000)
    PRIVATE.check_address(ip_address("127.0.0.1"), 8001)
    PRIVATE.check_address(ip_address("10.0.0.1"), 5432)


BAD_URLS = [
    # numbers that some systems read as an IPv4 address
    "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/",
    "https://0177.0.0.1/", "https://127.1/", "https://127.0.1/", "https://0/",
    "https://1.1.1/", "https://1.1.1.1.1/", "https://01.1.1.1/", "https://1.1.1.0x1/",
    "https://[::]/", "https://[::1%25lo]/", "https://[fe80::1%eth0]/", "https://[1]/",
    "https://[::ffff:10.0.0.1]/", "https://[v1.x]/", "https://[::1", "https://::1/",
    # names
    "https://metadata.google.internal/", "https://METADATA.google.internal/",
    "https://metadata/", "https://instance-data/", "https://metadata.goog/",
    "https://example.com./", "https://.example.com/", "https://ex..ample.com/",
    "https://-a.com/", "https://a-.com/", "https://a_b%41.com/", "https://a,b/",
    "https://" + "a" * 64 + ".com/", "https://" + "a." * 130 + "com/", "https:///mcp",
    "https://１.1.1.1/", "https://127。0。0。1/", "https://exämple.com/",
    # tricks
    "https://user@example.com/", "https://user:pw@example.com/", "https://@example.com",
    "https://example.com\\@evil.com/", "https:\\\\example.com/", "https://a\tb.com/",
    "https://example.com/\t", " https://example.com/", "https://example.com/ ",
    "https://example.com/a b", "https://example.com/\r\nX: y", "https://example.com/\0",
    "https://example.com#@evil.com/", "https://example.com/#", "https://example.com/é",
    "https://example.com:0/", "https://example.com:65536/", "https://a.com:99999999999",
    "https://a.com:443:80/", "https://a.com:4a/", "https://a.com: 80/",
    "https://a.com:+80/", "//example.com/", "example.com/mcp", "https:a.com",
    "", "https://", "https://example.com/" + "a" * 2000,
    # other protocols
    "gopher://example.com/", "ftp://example.com/", "file:///etc/passwd", "ws://a.com/",
    "javascript://example.com/%0aalert(1)", "unix:///run/a.sock",
]  # fmt: skip


@cases("url", BAD_URLS)
def test_urls_that_no_setting_opens(url: str) -> None:
    for rules in (PUBLIC, PRIVATE):
        with pytest.raises(Refused):
            rules.check_url(url)


@cases("port", [22, 25, 110, 143, 465, 587, 993, 995])
def test_ports_of_mail_and_ssh_are_no_targets_in_public(port: int) -> None:
    with pytest.raises(Refused, match="mail or SSH"):
        PUBLIC.check_url(f"https://example.com:{port}/")
    PRIVATE.check_url(f"https://example.com:{port}/")


def test_http_and_private_literals_need_the_setting() -> None:
    for url in ("http://example.com/", "https://127.0.0.1/", "https://[::1]:9/mcp"):
        with pytest.raises(Refused):
            PUBLIC.check_url(url)
        PRIVATE.check_url(url)
    with pytest.raises(Refused, match="belongs to this product"):
        PRIVATE.check_url("http://127.0.0.1:8000/mcp")


def test_a_target_is_what_is_connected_to_and_what_is_sent() -> None:
    target = PUBLIC.check_url("HTTPS://API.Example.com/v1/mcp?x=1&y=%2F")
    assert (target.tls, target.host, target.port) == (True, "api.example.com", 443)
    assert (target.path, target.authority) == (b"/v1/mcp?x=1&y=%2F", b"api.example.com")
    assert PUBLIC.check_url("https://a.com:8443?q").path == b"/?q"
    assert PUBLIC.check_url("https://a.com:8443").authority == b"a.com:8443"
    v6 = PUBLIC.check_url("https://[2606:4700:0::1111]:8443/")
    assert (v6.host, v6.authority) == ("2606:4700::1111", b"[2606:4700::1111]:8443")
    assert PUBLIC.check_url("https://xn--exmple-cua.com/").host == "xn--exmple-cua.com"


def test_owners_do_not_share_connections() -> None:
    one, other = (PUBLIC.check_url("https://a.com/", owner) for owner in "ab")
    assert one.key != other.key
    assert one.key == PUBLIC.check_url("https://a.com/other", "a").key
