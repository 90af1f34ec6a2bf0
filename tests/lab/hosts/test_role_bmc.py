"""The bmc role over HTTP and SNMP against a BMC after DMTF's schema; it runs on the controller, so no host is asked."""

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from controller.adapters.snmp.credentials import AuthProtocol, PrivProtocol, User
from tests.fakes.redfish_bmc import NETWORK, SUBSCRIPTIONS, SYSTEM, RedfishBmc, served
from tests.fakes.snmp_agent import FakeAgent
from tests.lab.host_fixtures import REPOSITORY

pytestmark = pytest.mark.lab

SYS_NAME = (1, 3, 6, 1, 2, 1, 1, 5, 0)
TARGET = "snmp://10.214.0.2:162"
PASSWORDS = {"gdcc": "planted-for-gdcc", "watch": "planted-for-watch"}
AGENT = User(
    name="gdcc-snmp",
    auth="planted-auth-passphrase",
    priv="planted-priv-passphrase",
    auth_protocol=AuthProtocol.SHA256,
    priv_protocol=PrivProtocol.AES128,
)
SECRETS = [*PASSWORDS.values(), AGENT.auth, AGENT.priv, "calvin"]


@contextmanager
def agent() -> Iterator[int]:
    """The SNMP side of the BMC; its port."""
    ready, ended, port = threading.Event(), threading.Event(), [0]

    async def answer() -> None:
        async with FakeAgent(AGENT, {SYS_NAME: b"bmc"}).running() as running:
            port[0] = running.address[1]
            ready.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=lambda: asyncio.run(answer()))
    thread.start()
    ready.wait()
    try:
        yield port[0]
    finally:
        ended.set()
        thread.join()


@dataclass
class Site:
    """A host with a BMC, and how playbooks are run for it."""

    inventory: Path
    variables: Path

    def play(self, playbook: str, *options: str) -> tuple[bool, str]:
        """Whether all went well, and what was said."""
        ansible = Path(sys.executable).with_name("ansible-playbook")
        run = subprocess.run(
            [ansible, "-i", self.inventory, f"playbooks/{playbook}.yml", "-e", f"@{self.variables}", *options],
            check=False,
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        )
        assert not [secret for secret in SECRETS if secret in run.stdout + run.stderr]
        return run.returncode == 0, run.stdout + run.stderr


@contextmanager
def site(folder: Path, bmc: RedfishBmc) -> Iterator[Site]:
    with served(bmc) as url, agent() as port:
        variables = {
            "gdcc_bmc": {"address": f"127.0.0.1:{port}", "profile": "idrac", "credential": "bmc-v3"},
            "bmc_url": url,
            "bmc_user": "root",
            "bmc_password": "calvin",
            "bmc_accounts": [{"name": "gdcc", "role": "Administrator"}, {"name": "watch", "role": "ReadOnly"}],
            "bmc_account_passwords": PASSWORDS,
            "bmc_absent_accounts": ["ADMIN"],
            "bmc_snmp_credentials": {"bmc-v3": {"user": AGENT.name, "auth": AGENT.auth, "priv": AGENT.priv}},
            "bmc_trap_targets": [TARGET],
            "bmc_ntp_servers": ["10.214.0.2"],
        }
        (folder / "hosts.ini").write_text("cmp1\n")
        (folder / "variables.json").write_text(json.dumps(variables))
        yield Site(folder / "hosts.ini", folder / "variables.json")


def changed(output: str) -> list[str]:
    """The names of what was changed."""
    return re.findall(r"^changed: .*\(item=(.*)\)$", output, re.MULTILINE)


@pytest.mark.parametrize("fixed_slots", [False, True], ids=["accounts by POST", "accounts in slots"])
def test_a_bmc_from_the_factory_becomes_as_declared_once(tmp_path: Path, fixed_slots: bool) -> None:
    bmc = RedfishBmc(fixed_slots=fixed_slots, passwords={"root": "calvin", "ADMIN": "ADMIN"})
    with site(tmp_path, bmc) as here:
        well, looked = here.play("bmc", "--check", "--diff")
        assert well, looked
        assert "-PowerRestorePolicy: AlwaysOff\n+PowerRestorePolicy: LastState" in looked
        assert not [method for method, _ in bmc.requests if method != "GET"], "a dry run asks and changes nothing"

        assert here.play("bmc")[0]
        assert bmc.resources[SYSTEM]["PowerRestorePolicy"] == "LastState"
        assert bmc.resources[NETWORK]["SNMP"]["EnableSNMPv2c"] is False
        assert bmc.account("watch")["RoleId"] == "ReadOnly"
        assert {name: bmc.passwords.get(name) for name in ("gdcc", "watch", "ADMIN")} == {**PASSWORDS, "ADMIN": None}
        assert bmc.snmp_keys[AGENT.name]["EncryptionKey"] == f"Passphrase:{AGENT.priv}"
        (target,) = (one for path, one in bmc.resources.items() if path.startswith(f"{SUBSCRIPTIONS}/"))
        assert (target["Destination"], target["SubscriptionType"]) == (TARGET, "SNMPTrap")

        well, again = here.play("bmc")
        assert well
        assert not changed(again)
        well, verified = here.play("host-verify", "--tags", "bmc")
        assert well, verified


def test_what_was_changed_by_hand_is_named_and_put_right(tmp_path: Path) -> None:
    bmc = RedfishBmc()
    with site(tmp_path, bmc) as here:
        assert here.play("bmc")[0]
        bmc.resources[NETWORK]["SNMP"]["EnableSNMPv2c"] = True
        well, verified = here.play("host-verify", "--tags", "bmc")
        assert not well
        assert "SNMP.EnableSNMPv2c is declared False, and is True" in verified
        assert changed(here.play("bmc")[1]) == ["network services"]

        bmc.passwords["gdcc"] = "somebody else's"
        well, verified = here.play("host-verify", "--tags", "bmc")
        assert not well
        assert "refuses the declared password of gdcc" in verified
        assert changed(here.play("bmc")[1]) == ["account gdcc"]
        assert here.play("host-verify", "--tags", "bmc")[0]


def test_a_bmc_that_takes_a_change_and_does_not_make_it_fails_the_run(tmp_path: Path) -> None:
    with site(tmp_path, RedfishBmc(stubborn=frozenset({"PowerRestorePolicy"}))) as here:
        well, said = here.play("bmc")
    assert not well
    assert "took the change and still gives PowerRestorePolicy as 'AlwaysOff'" in said


def test_a_wrong_login_and_a_bmc_that_is_not_there_are_told_as_such(tmp_path: Path) -> None:
    with site(tmp_path, RedfishBmc()) as here:
        well, said = here.play("bmc", "-e", "bmc_password=wrong")
        assert not well
        assert "was answered 401: The request has no valid login." in said
        well, said = here.play("bmc", "-e", "bmc_url=http://127.0.0.1:1")
        assert not well
        assert "GET http://127.0.0.1:1/redfish/v1/ was not answered: " in said
