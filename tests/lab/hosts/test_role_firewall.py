"""The firewall role on a host: rules loaded at once, never those that cut it off, and every difference named."""

import json
import time

import pytest

from tests.lab.host_fixtures import Hosts, Played

pytestmark = pytest.mark.lab

HOST = "host2"
WAIT_S = 180
SSH_ONLY = [{"name": "ssh", "from": ["management"], "proto": "tcp", "ports": ["22"]}]


def play(hosts: Hosts, *options: str, flows: object = None) -> Played:
    more = {"firewall_rollback_seconds": 45} | ({"firewall_flows": flows} if flows else {})
    return hosts.play("firewall", "--limit", HOST, "-e", json.dumps(more), *options)


def verify(hosts: Hosts) -> Played:
    return hosts.play("host-verify", "--tags", "firewall", "--limit", HOST)


def loaded(hosts: Hosts) -> str:
    return hosts.says(HOST, "nft --stateless list ruleset")


@pytest.fixture(scope="module")
def hosts(bare_hosts: Hosts) -> Hosts:
    """Looked at by `--check`, which changes nothing, and then configured."""
    looked = play(bare_hosts, "--check", "--diff")
    assert not looked.failed
    assert loaded(bare_hosts) == ""
    assert not play(bare_hosts).failed
    return bare_hosts


def test_a_second_run_changes_nothing_and_what_is_loaded_is_what_is_declared(hosts: Hosts) -> None:
    assert "policy drop" in loaded(hosts)
    assert play(hosts).changed == {HOST: 0}
    assert play(hosts, "--check", "--diff").changed == {HOST: 0}
    assert not verify(hosts).failed


@pytest.mark.parametrize(
    ("by_hand", "told"),
    [
        ("nft insert rule inet gdcc input tcp dport 23 accept", "is loaded, and it is not declared"),
        ("nft flush chain inet gdcc input; nft 'chain inet gdcc input { policy accept; }'", "the rule 'flow ssh'"),
        ("nft delete table inet gdcc", "the table inet gdcc is declared, and it is not loaded"),
    ],
)
def test_what_is_changed_by_hand_is_named_and_put_right(hosts: Hosts, by_hand: str, told: str) -> None:
    hosts.command(HOST, by_hand)
    assert told in " ".join(play(hosts, "--check").output.split())
    verified = verify(hosts)
    assert verified.failed == {HOST}
    assert told in " ".join(verified.output.split())
    assert not play(hosts).failed
    assert not verify(hosts).failed


def test_flows_that_would_drop_the_plays_own_connection_are_refused(hosts: Hosts) -> None:
    before = loaded(hosts)
    refused = play(hosts, flows=[{**SSH_ONLY[0], "from": ["192.0.2.0/24"]}])
    assert refused.failed == {HOST}
    assert "the connection this play runs over" in " ".join(refused.output.split())
    assert loaded(hosts) == before


def test_other_programs_tables_stand_when_ours_is_loaded_and_when_the_service_stops(hosts: Hosts) -> None:
    hosts.command(HOST, "nft add table inet neutron; nft delete table inet gdcc")
    assert not play(hosts).failed
    hosts.command(HOST, "systemctl restart nftables")
    assert "table inet neutron" in loaded(hosts)
    assert "flow ssh" in loaded(hosts)
    hosts.command(HOST, "nft delete table inet neutron")


def test_rules_whose_playbook_is_killed_are_taken_back_by_the_host(hosts: Hosts) -> None:
    before = loaded(hosts)
    more = json.dumps({"firewall_rollback_seconds": 45, "firewall_flows": SSH_ONLY})
    running = hosts.begin("firewall", "--limit", HOST, "-e", more)
    assert running.stdout is not None
    for line in running.stdout:
        if "Reach the host on a new one" in line:
            break
    running.kill()
    running.communicate()
    end = time.monotonic() + WAIT_S
    while loaded(hosts) != before or hosts.says(HOST, "ls /var/lib/gdcc-rollback/armed"):
        assert time.monotonic() < end, "the host did not take the rules back"
        time.sleep(1)
    assert not verify(hosts).failed
