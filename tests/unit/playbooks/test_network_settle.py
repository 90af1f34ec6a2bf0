"""What ends a change to a host's network: links that networkd gave up are asked for once more, addresses announced."""

from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.playbooks.role_modules import role_module

MAC = "52:54:00:14:00:01"
UP = ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"]
ADDRESS = {"family": "inet", "local": "10.0.0.7", "prefixlen": 24, "scope": "global"}
BOND = {"ifname": "bond0", "link_type": "ether", "address": MAC, "flags": UP, "addr_info": [ADDRESS]}

NETWORKCTL = """#!/bin/sh
# networkd, of which a link fails once: `mended` says to which state it comes when it is asked for again.
cd "$(dirname "$0")"
if [ "$1" = reconfigure ]; then echo "$2" >>asked; cat mended >state; exit; fi
echo "  1 lo    loopback carrier  unmanaged"
echo "  2 eth0  ether    enslaved configured"
echo " 14 bond0 bond     degraded $(cat state)"
"""


@pytest.fixture
def settle(tmp_path: Path) -> ModuleType:
    """The script, with a networkd of the test's own in `tmp_path`."""
    module = role_module("network/files/gdcc_network_settle.py")
    networkctl = tmp_path / "networkctl"
    networkctl.write_text(NETWORKCTL)
    networkctl.chmod(0o755)
    module.NETWORKCTL = str(networkctl)  # type: ignore[attr-defined]
    module.PATIENCE_S = 0.0  # type: ignore[attr-defined]
    return module


@pytest.mark.parametrize(
    ("state", "mended", "asked", "failed"),
    [
        ("configured", "configured", "", set()),
        ("configuring", "configuring", "", set()),
        ("failed", "configured", "bond0\n", set()),
        ("failed", "failed", "bond0\n", {"bond0"}),
    ],
)
def test_a_link_that_failed_is_asked_for_once_more(
    settle: ModuleType, tmp_path: Path, state: str, mended: str, asked: str, failed: set[str]
) -> None:
    (tmp_path / "state").write_text(state)
    (tmp_path / "mended").write_text(mended)
    (tmp_path / "asked").touch()
    assert set(settle.settled(["eth0", "bond0"])) == failed
    assert (tmp_path / "asked").read_text() == asked


def test_a_link_that_is_not_ours_is_left_alone(settle: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("failed")
    assert not settle.settled(["eth0"])
    assert not (tmp_path / "asked").exists()


def test_an_address_is_announced_with_the_hardware_address_that_it_has_now(settle: ModuleType) -> None:
    ((link, mac, said),) = settle.announced([BOND])
    assert (link, said) == ("bond0", "10.0.0.7")
    frame = settle.frame(mac, bytes([10, 0, 0, 7]))
    assert mac == bytes.fromhex(MAC.replace(":", ""))
    address = bytes([10, 0, 0, 7])
    assert frame[:14] == b"\xff" * 6 + mac + b"\x08\x06"
    assert frame[14:22] == b"\x00\x01\x08\x00\x06\x04\x00\x01"
    assert frame[22:] == mac + address + bytes(6) + address


def test_an_ipv6_address_is_advertised_over_what_was_known_of_it(settle: ModuleType) -> None:
    sixth = {"family": "inet6", "local": "2001:db8::7", "prefixlen": 64, "scope": "global"}
    ((_, mac, said),) = settle.announced([{**BOND, "addr_info": [sixth]}])
    address = bytes.fromhex("20010db8000000000000000000000007")
    packet = settle.advertisement(mac, address)
    assert said == "2001:db8::7"
    assert packet == bytes.fromhex("8800000020000000") + address + b"\x02\x01" + mac


@pytest.mark.parametrize(
    "differing",
    [
        {"flags": ["UP"]},
        {"link_type": "loopback"},
        {"addr_info": [{**ADDRESS, "scope": "link"}]},
        {"addr_info": []},
    ],
)
def test_nothing_else_is_announced(settle: ModuleType, differing: dict[str, object]) -> None:
    assert list(settle.announced([{**BOND, **differing}])) == []
