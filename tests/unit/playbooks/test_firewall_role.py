"""Which flows are refused, and what is said of rules that are loaded otherwise than declared."""

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from tests.unit.playbooks.role_modules import role_module

RULES = role_module("firewall/filter_plugins/firewall_rules.py")
NETWORKS = {"management": "10.0.0.0/24", "monitoring": ["10.9.0.0/24", "2001:db8::/64"]}
OVER = "10.0.0.5 40000 10.0.0.7 22"


def flow(**more: Any) -> dict[str, Any]:
    return {"name": "ssh", "from": ["management"], "proto": "tcp", "ports": ["22"], **more}


def refusals(*flows: dict[str, Any], connection: str = OVER) -> list[str]:
    resolved = RULES.firewall_flows(flows, NETWORKS)
    return list(RULES.firewall_refusals(resolved, ["10.0.0.0/24"], connection=connection, ssh_port=22))


def listing(*rules: dict[str, Any], policy: str = "drop") -> dict[str, Any]:
    chain = {"family": "inet", "table": "gdcc", "name": "input", "policy": policy, "handle": 1}
    mine = [{"rule": {"family": "inet", "table": "gdcc", "chain": "input", **rule}} for rule in rules]
    other = [{"table": {"family": "inet", "name": "neutron"}}]
    return {
        "nftables": [{"metainfo": {}}, {"table": {"family": "inet", "name": "gdcc"}}, {"chain": chain}, *mine, *other]
    }


def rule(name: str, handle: int, port: int = 22) -> dict[str, Any]:
    return {"comment": name, "handle": handle, "expr": [{"match": port}, {"counter": {"packets": handle}}]}


def test_sources_are_found_by_name_or_are_cidrs() -> None:
    (found,) = RULES.firewall_flows([flow(**{"from": ["monitoring", "192.0.2.1"]})], NETWORKS)
    assert (found["v4"], found["v6"]) == (["10.9.0.0/24", "192.0.2.1/32"], ["2001:db8::/64"])


def test_a_flow_from_no_network_opens_nothing() -> None:
    assert RULES.firewall_flows([flow(**{"from": []})], NETWORKS) == []


def test_an_unknown_network_is_named() -> None:
    with pytest.raises(AnsibleFilterError, match=r"the flow ssh comes from 'storage'.*known here .management, monitor"):
        RULES.firewall_flows([flow(**{"from": ["storage"]})], NETWORKS)


def test_flows_that_keep_ssh_open_are_not_refused() -> None:
    assert refusals(flow()) == []
    assert refusals(flow(ports=["20-30"])) == []


@pytest.mark.parametrize(
    "cutting", [flow(ports=["2222"]), flow(proto="udp"), flow(**{"from": ["monitoring"]}), flow(**{"from": []})]
)
def test_flows_that_drop_the_connection_they_came_over_are_refused(cutting: dict[str, Any]) -> None:
    assert refusals(cutting) == [
        "the connection this play runs over, from 10.0.0.5 to port 22, would be dropped",
        "SSH (tcp 22) from the management network 10.0.0.0/24 would be dropped",
    ]


def test_half_of_the_management_network_is_not_enough() -> None:
    half = flow(**{"from": ["10.0.0.0/25"]})
    assert refusals(half) == ["SSH (tcp 22) from the management network 10.0.0.0/24 would be dropped"]
    assert len(refusals(half, connection="")) == 1


def problems(found: dict[str, Any], *declared: dict[str, Any]) -> list[str]:
    told: list[str] = RULES.firewall_problems(found, listing(*declared), "gdcc")
    return told


def test_handles_counters_and_other_tables_are_no_difference() -> None:
    assert problems(listing(rule("flow ssh", 9)), rule("flow ssh", 4)) == []


def test_a_table_that_is_not_loaded_is_named_alone() -> None:
    assert problems({"nftables": []}, rule("flow ssh", 4)) == ["the table inet gdcc is declared, and it is not loaded"]


def test_rules_missing_added_changed_and_moved_are_named() -> None:
    ssh, snmp = rule("flow ssh", 4), rule("flow snmp", 5, 161)
    assert problems(listing(ssh), ssh, snmp) == ["the rule 'flow snmp' is declared, and it is not loaded"]
    assert problems(listing(ssh, snmp), ssh) == ["the rule 'flow snmp' is loaded, and it is not declared"]
    assert problems(listing(snmp, ssh), ssh, snmp) == [
        "the declared rules are loaded, in another order or more than once"
    ]
    changed = problems(listing(rule("flow ssh", 4, 23)), ssh)
    assert [("22" in each, "23" in each) for each in changed] == [(True, False), (False, True)]


def test_a_policy_that_lets_all_in_is_named() -> None:
    told = problems(listing(rule("flow ssh", 4), policy="accept"), rule("flow ssh", 4))
    assert '"policy":"drop"' in told[0]
    assert '"policy":"accept"' in told[1]
