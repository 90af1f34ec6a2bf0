"""What `host-facts.yml` makes of the facts that Ansible gathers, under the names that Ansible gives them."""

from typing import Any

import pytest
from ansible.module_utils.facts.namespace import PrefixFactNamespace
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from tests.unit.playbooks.test_roles import PLAYBOOKS

GATHERED = PrefixFactNamespace("ansible", prefix="")


def nics(gathered: dict[str, dict[str, Any]]) -> Any:
    """What is told of links that `setup` has found so."""
    loader = DataLoader()
    (play,) = loader.load_from_file(str(PLAYBOOKS / "host-facts.yml"), trusted_as_template=True)
    (told,) = (task for task in play["tasks"] if task["name"] == "Tell what was found")
    facts = {"interfaces": list(gathered), **{GATHERED.transform(name): link for name, link in gathered.items()}}
    return Templar(loader, {"ansible_facts": facts}).template(told["vars"]["facts_nics"])


@pytest.mark.parametrize("name", ["eno1", "bond1.20", "br-ex", "vx_7-b.4094", "eth0_1"])
def test_a_link_is_told_as_it_was_found_whatever_its_name(name: str) -> None:
    found = {"device": name, "mtu": 9000, "macaddress": "52:54:00:00:00:01", "active": True, "speed": 25000}
    assert nics({name: found, "lo": {"mtu": 65536, "active": True}}) == {
        name: {"mtu": 9000, "mac": "52:54:00:00:00:01", "up": True, "speed_mbit_s": 25000},
        "lo": {"mtu": 65536, "mac": "", "up": True, "speed_mbit_s": 0},
    }


def test_a_link_that_went_while_facts_were_gathered_is_told_as_down() -> None:
    loader = DataLoader()
    (play,) = loader.load_from_file(str(PLAYBOOKS / "host-facts.yml"), trusted_as_template=True)
    (told,) = (task for task in play["tasks"] if task["name"] == "Tell what was found")
    shown = Templar(loader, {"ansible_facts": {"interfaces": ["tap0"]}}).template(told["vars"]["facts_nics"])
    assert shown == {"tap0": {"mtu": 0, "mac": "", "up": False, "speed_mbit_s": 0}}
