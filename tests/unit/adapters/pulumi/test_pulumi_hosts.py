"""Hosts by their lifecycle and as Nova lists them: edits are proposed, and a host that cannot enter is told first."""

from dataclasses import replace
from pathlib import Path

import pytest

from controller.adapters.pulumi import beside, hosts
from controller.adapters.pulumi.runs import StepFailedError
from inventory import load
from inventory.model import Lifecycle

LAB = Path(__file__).parents[3] / "lab" / "estate-agencies"


def estate(**lifecycles):
    whole = load.load(LAB)
    changed = {name: replace(whole.hosts[name], lifecycle=state) for name, state in lifecycles.items()}
    return replace(whole, hosts={**whole.hosts, **changed})


def said(whole, names):
    return list(hosts.proposals(whole, names, lambda name: load.place(LAB, "hosts", name, "lifecycle")))


def test_hosts_that_fit_what_nova_lists_need_no_edit():
    whole = estate(cmp1=Lifecycle.MAINTENANCE, cmp2=Lifecycle.PLANNED)
    assert said(whole, whole.hosts.keys() - {"cmp2"}) == []


def test_an_installed_host_that_nova_lists_is_to_be_registered_at_its_line():
    whole = estate(cmp2=Lifecycle.INSTALLED)
    (sentence,) = said(whole, whole.hosts)
    line = (LAB / "hosts.yaml").read_text().splitlines().index(next(_rows("cmp2"))) + 1
    assert sentence.endswith(f"hosts.yaml:{line}: set lifecycle: registered")
    assert sentence.startswith("host cmp2 is listed by Nova and is `installed` in ")


def _rows(name):
    return (row for row in (LAB / "hosts.yaml").read_text().splitlines() if f"name: {name}," in row)


def test_a_registered_host_that_nova_does_not_list_and_a_gone_one_that_it_lists_are_told():
    whole = estate(cmp1=Lifecycle.REGISTERED, cmp3=Lifecycle.DECOMMISSIONED)
    first, second = said(whole, whole.hosts.keys() - {"cmp1"})
    assert "cmp1" in first and "Nova does not list it" in first and "installed" in first
    assert "cmp3" in second and "delete its compute service" in second


def aggregate(op, name, new, old=()):
    urn = f"urn:pulumi:foundation::gdcc::{hosts.AGGREGATE}::{name}"
    state = {"newState": {"inputs": {"hosts": list(new)}}, "oldState": {"inputs": {"hosts": list(old)}}}
    return {"op": op, "urn": urn, **state}


def test_only_hosts_that_enter_an_aggregate_are_asked_about():
    steps = [
        aggregate("create", "site-a", ["cmp1", "cmp2"]),
        aggregate("update", "open", ["cmp1", "cmp2"], ["cmp1"]),
        aggregate("same", "old", ["cmp9"]),
        aggregate("delete", "gone", ["cmp8"]),
    ]
    entering = hosts.entering({"steps": steps})
    assert entering == {"cmp1": ("site-a",), "cmp2": ("site-a", "open")}
    beside.refuse_unlisted(entering, {"cmp1", "cmp2", "cmp3"})
    with pytest.raises(StepFailedError, match="does not list host cmp2, which would enter site-a, open"):
        beside.refuse_unlisted(entering, {"cmp1"})
