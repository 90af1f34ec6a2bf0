"""What sudo grants beside what is declared, told as `cvtsudoers -f json -e` tells it."""

import json
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from tests.unit.playbooks.rendered import Rendered
from tests.unit.playbooks.role_modules import role_module

SUDO = role_module("base/filter_plugins/base_sudo.py")

ALL_AS_ALL = {"runasusers": [{"username": "ALL"}], "runasgroups": [{"usergroup": "ALL"}]}
UNASKED = {"Options": [{"authenticate": False}]}
DEBIAN = [
    {"User_List": [who], "Host_List": [{"hostname": "ALL"}],
     "Cmnd_Specs": [{**ALL_AS_ALL, "Options": [{"setenv": True}], "Commands": [{"command": "ALL"}]}]}
    for who in ({"username": "root"}, {"usergroup": "sudo"})
]  # fmt: skip
OPS = {"who": "%ops", "commands": ["/usr/bin/virsh list", "/usr/bin/less"]}


def told(*specs: dict[str, Any], defaults: tuple[dict[str, Any], ...] = ()) -> str:
    return json.dumps({"Defaults": [{"Options": [{"env_reset": True}]}, *defaults], "User_Specs": [*DEBIAN, *specs]})


def spec(who: dict[str, Any], *commands: str, **more: Any) -> dict[str, Any]:
    return {
        "User_List": [who],
        "Host_List": [{"hostname": "ALL"}],
        "Cmnd_Specs": [{**more, "Commands": [{"command": each} for each in commands]}],
    }


def foreign(found: str, *declared: dict[str, Any]) -> list[str]:
    """Beside what every host may have by the role's own variables."""
    others = Rendered("base").value("base_sudo_others")
    answer: list[str] = SUDO.base_sudo_foreign(found, declared, others)
    return answer


OURS = spec({"usergroup": "ops"}, *OPS["commands"], **ALL_AS_ALL, **UNASKED)


def test_what_is_declared_and_what_debian_nova_and_neutron_bring_is_well() -> None:
    """As /etc/sudoers.d/nova_sudoers and neutron_sudoers of Debian 12 have it."""
    nova = spec(
        {"username": "nova"}, "/usr/bin/nova-rootwrap /etc/nova/rootwrap.conf *", "/usr/bin/privsep-helper *",
        runasusers=[{"username": "root"}], **UNASKED,
    )  # fmt: skip
    neutron = [
        spec({"username": "neutron"}, command, runasusers=[{"username": "root"}], **UNASKED)
        for command in (
            "/usr/bin/neutron-rootwrap /etc/neutron/rootwrap.conf *",
            "/usr/bin/neutron-rootwrap-daemon /etc/neutron/rootwrap.conf",
        )
    ]
    assert foreign(told(OURS, nova, *neutron), OPS) == []
    assert SUDO.base_sudo_missing(told(OURS, nova, *neutron), [OPS]) == []


@pytest.mark.parametrize(
    ("stray", "said"),
    [
        (spec({"username": "nobody"}, "ALL", **ALL_AS_ALL, **UNASKED), "nobody may run ALL without a password"),
        (spec({"usergroup": "sudo"}, "ALL", **ALL_AS_ALL, **UNASKED), "%sudo may run ALL without a password"),
        (spec({"usergroup": "ops"}, "/bin/sh", **UNASKED), "%ops may run /bin/sh without a password"),
        (spec({"usergroup": "ops"}, "/usr/bin/less"), "%ops may run /usr/bin/less with a password"),
        (
            spec({"userid": 1001}, "/bin/x", runasusers=[{"username": "www-data"}]),
            "#1001 may run /bin/x as www-data with a password",
        ),
        (spec({"netgroup": "night"}, "ALL"), "+night may run ALL with a password"),
    ],
)
def test_what_is_granted_and_nobody_declares_is_named(stray: dict[str, Any], said: str) -> None:
    assert foreign(told(OURS, stray), OPS) == [said]


def test_nothing_declared_is_compared_too() -> None:
    stray = spec({"username": "nobody"}, "ALL", **ALL_AS_ALL, **UNASKED)
    assert foreign(told(stray)) == ["nobody may run ALL without a password"]


@pytest.mark.parametrize(
    ("binding", "who"), [({}, "everybody"), ({"Binding": [{"username": "bob"}, {"usergroup": "ops"}]}, "bob, %ops")]
)
def test_a_password_that_is_asked_of_nobody_is_named(binding: dict[str, Any], who: str) -> None:
    found = told(OURS, defaults=({**binding, "Options": [{"authenticate": False}]},))
    assert foreign(found, OPS) == [f"no password of {who} is asked for (Defaults !authenticate)"]


def test_who_and_what_is_taken_out_of_a_list_is_granted_nothing() -> None:
    out = spec({"username": "eve", "negated": True}, "ALL")
    never = {**OURS, "Cmnd_Specs": [{**OURS["Cmnd_Specs"][0], "Commands": [{"command": "/bin/su", "negated": True}]}]}
    assert foreign(told(OURS, out, never), OPS) == []
    assert SUDO.base_sudo_missing(told(never), [{"who": "%ops", "commands": ["!/bin/su"]}]) == []


@pytest.mark.parametrize(
    "found",
    [
        spec({"usergroup": "ops"}, "/usr/bin/less", **UNASKED),
        spec({"username": "ops"}, *OPS["commands"], **UNASKED),
        spec({"usergroup": "ops"}, *OPS["commands"]),
        spec({"usergroup": "ops"}, *OPS["commands"], runasusers=[{"username": "www-data"}], **UNASKED),
    ],
)
def test_what_is_declared_and_not_granted_to_them_so_as_root_is_missing(found: dict[str, Any]) -> None:
    assert "%ops may run /usr/bin/virsh list without a password" in SUDO.base_sudo_missing(told(found), [OPS])


def test_an_alias_of_commands_that_is_not_defined_is_named() -> None:
    stray = spec({"usergroup": "ops"}, "/usr/bin/less", **UNASKED)
    stray["Cmnd_Specs"][0]["Commands"].append({"cmndalias": "REBOOT"})
    assert foreign(told(OURS, stray), OPS) == [
        "%ops may run the Cmnd_Alias REBOOT (which is not defined) without a password"
    ]
    assert SUDO.base_sudo_missing(told(stray), [{"who": "%ops", "commands": ["/usr/bin/less"]}]) == []


UNDEFINED = """\
{
    "Defaults": [
        {
            "Binding": [
            ]
            "Options": [
                { "authenticate": false }
            ]
        }
    ],
    "User_Specs": [
        {
            "User_List": [
            ]
            "Host_List": [
                { "hostname": "ALL" }
            ],
            "Cmnd_Specs": [
                {
                    "Commands": [
                        { "command": "ALL" }
                    ]
                }
            ]
        },
        {
            "User_List": [
                { "username": "eve" }
            ],
            "Host_List": [
                { "hostname": "ALL" }
            ],
            "Cmnd_Specs": [
                {
                    "runasusers": [
                    ]
                    "Commands": [
                        { "command": "/bin/x" }
                    ]
                }
            ]
        },
        {
            "User_List": [
                { "username": "bob" }
            ],
            "Host_List": [
                { "hostname": "ALL" }
            ],
            "Cmnd_Specs": [
                {
                    "Commands": [
                        { "command": "/bin/[a-z]" }
                    ]
                }
            ]
        }
    ]
}
"""
"""As cvtsudoers 1.9.13 tells aliases of users that are not defined: it leaves out a comma after what is empty then."""


def test_aliases_of_users_that_are_not_defined_grant_nobody_anything() -> None:
    assert foreign(UNDEFINED) == ["bob may run /bin/[a-z] with a password"]


def test_what_cannot_be_read_is_told_as_such() -> None:
    with pytest.raises(AnsibleFilterError, match="what cvtsudoers tells of sudo cannot be read"):
        foreign("{")


def test_a_host_without_sudo_grants_nothing() -> None:
    assert SUDO.base_sudo_foreign("", []) == []
    assert SUDO.base_sudo_foreign(json.dumps({"Defaults": []}), []) == []
    assert SUDO.base_sudo_missing("", [OPS]) == [
        f"%ops may run {command} without a password" for command in OPS["commands"]
    ]
