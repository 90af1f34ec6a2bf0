"""The network role on a host: what is broken is named and put right, and what cuts the host off is taken back."""

import json
import time

import pytest

from tests.lab.host_fixtures import Hosts, Played

pytestmark = pytest.mark.lab

HOST = "host2"
ROUTE = {"network": "management", "destination": "198.51.100.0/24", "gateway": "{{ lab_gateway }}"}
ROLLBACK_S = 45
WAIT_S = 180


class Network:
    """The host's network by the role, with another MTU and a route to nowhere."""

    def __init__(self, hosts: Hosts) -> None:
        self.hosts = hosts
        address, prefix = hosts.command(HOST, "ip -br -4 address show host0").split()[2].split("/")
        self.address = address
        management = {"name": "management", "use": "management", "vlan": None, "mtu": 1400, "address": address}
        self.declared = {**management, "cidr": f"{address.rpartition('.')[0]}.0/{prefix}"}
        self.gateway = f"{address.rpartition('.')[0]}.1"

    def options(self, **differing: object) -> tuple[str, ...]:
        more = {
            "network_networks": [{**self.declared, **differing}],
            "network_routes": [ROUTE],
            "lab_gateway": self.gateway,
            "network_rollback_seconds": ROLLBACK_S,
        }
        return "--limit", HOST, "-e", json.dumps(more)

    def play(self, *options: str, **differing: object) -> Played:
        return self.hosts.play("network", *self.options(**differing), *options)

    def verify(self) -> Played:
        return self.hosts.play("host-verify", "--tags", "network", *self.options())

    def files(self) -> str:
        return self.hosts.says(HOST, "cat /etc/systemd/network/*")


@pytest.fixture(scope="module")
def network(bare_hosts: Hosts) -> Network:
    """Looked at by `--check`, which changes nothing, and then configured."""
    network = Network(bare_hosts)
    before = network.files()
    looked = network.play("--check", "--diff")
    assert "host0: MTU 1400 is declared, found 1500" in looked.output
    assert network.files() == before
    assert not network.play().failed
    return network


def test_a_second_run_changes_nothing(network: Network) -> None:
    assert network.play().changed == {HOST: 0}
    assert network.play("--check", "--diff").changed == {HOST: 0}
    assert not network.verify().failed


@pytest.mark.parametrize(
    ("by_hand", "told"),
    [
        ("ip link set host0 mtu 1300", "host0: MTU 1400 is declared, found 1300"),
        ("ip route del 198.51.100.0/24", "host0: the route to 198.51.100.0/24 via"),
        ("ip address add 192.0.2.9/24 dev host0", "192.0.2.9/24"),
    ],
)
def test_what_is_changed_by_hand_is_named_and_put_right(network: Network, by_hand: str, told: str) -> None:
    network.hosts.command(HOST, by_hand)
    assert told in network.play("--check").output
    verified = network.verify()
    assert verified.failed == {HOST}
    assert told in " ".join(verified.output.split())
    assert not network.play().failed
    assert not network.verify().failed


def test_a_change_that_cuts_the_host_off_is_taken_back_by_the_host(network: Network) -> None:
    before = network.files()
    cut = network.play(address=f"{network.address.rpartition('.')[0]}.199")
    said = " ".join(cut.output.split())
    assert cut.failed == {HOST}
    assert f"The change to the network of {HOST} was not kept" in said
    assert f"has its old files again and answers on {network.address}" in said
    assert network.files() == before
    assert not network.verify().failed


def test_a_change_whose_playbook_is_killed_is_taken_back_by_the_host(network: Network) -> None:
    before = network.files()
    running = network.hosts.begin("network", *network.options(address=f"{network.address.rpartition('.')[0]}.199"))
    assert running.stdout is not None
    for line in running.stdout:
        if "Reach the host on a new one" in line:
            break
    running.kill()
    running.communicate()
    end = time.monotonic() + WAIT_S
    while network.hosts.says(HOST, "test ! -e /var/lib/gdcc-rollback/armed/network && echo settled") != "settled":
        assert time.monotonic() < end, "the host did not take the change back"
        time.sleep(1)
    assert network.files() == before
    assert not network.verify().failed


def test_a_host_that_goes_down_before_the_confirmation_comes_back_with_its_old_files(network: Network) -> None:
    before, booted = network.files(), network.hosts.boot_id(HOST)
    path = "/etc/systemd/network/05-gdcc-host0.network"
    files = {path: "[Match]\nName=host0\n[Network]\nAddress=192.0.2.9/24\n"}
    owned = {"owner": "root", "group": "root", "mode": "0644"}
    plan = {"files": files, "absent": [], **owned, "apply": ["true"], "restore": ["true"]}
    armed = json.dumps({**plan, "seconds": 3600, "settle_seconds": 0})
    network.hosts.command(HOST, f"gdcc-rollback arm network <<'END'\n{armed}\nEND")
    network.hosts.command(HOST, "gdcc-rollback apply-now network")
    assert "192.0.2.9" in network.files()
    network.hosts.says(HOST, "systemctl reboot")
    end = time.monotonic() + WAIT_S
    while network.hosts.boot_id(HOST) in {"", booted}:
        assert time.monotonic() < end, "the host did not come back"
        time.sleep(1)
    assert network.files() == before
    assert not network.verify().failed
