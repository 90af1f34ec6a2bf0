"""The kernel's audit rules as `auditctl -l` writes them, beside those that are declared."""

from typing import Any

import pytest

from tests.unit.playbooks.rendered import Rendered
from tests.unit.playbooks.role_modules import role_module

AUDIT = role_module("audit/filter_plugins/audit_rules.py")

LISTED = """\
-w /etc/passwd -p wa -k identity
-w /etc/shadow -p wa -k identity
-w /etc/group -p wa -k identity
-w /etc/gshadow -p wa -k identity
-w /etc/sudoers -p wa -k privilege
-w /etc/sudoers.d -p wa -k privilege
-a always,exit -F arch=b64 -S execve -C uid!=euid -F euid=0 -F auid>=1000 -F auid!=-1 -F key=privilege
-w /etc/ssh -p wa -k sshd
-w /root/.ssh -p wa -k sshd
-a always,exit -F arch=b64 -S settimeofday,clock_settime -F auid!=-1 -F key=time
-w /etc/localtime -p wa -k time
-a always,exit -F arch=b64 -S init_module,delete_module,finit_module -F key=modules
-w /etc/libvirt -p wa -k guests
-w /etc/nova -p wa -k guests
-w /etc/audit -p wa -k audit
""".splitlines()
"""What auditd 3.0.9 lists of the rules that every host has."""


@pytest.fixture
def declared() -> Any:
    return Rendered("audit").value("audit_rules")


def test_every_hosts_rules_are_known_as_the_kernel_lists_them(declared: Any) -> None:
    assert AUDIT.audit_missing(LISTED, declared) == []
    assert AUDIT.audit_foreign(LISTED, declared) == []


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("-w /etc/shadow -p wa -k identity", "-w /etc/motd -p wa -k identity"),
        ("-w /etc/shadow -p wa -k identity", "-w /etc/shadow -p x -k identity"),
        ("-w /etc/shadow -p wa -k identity", "-w /etc/passwd -p wa -k identity"),
        ("-S execve -C", "-S execveat -C"),
        ("-F auid>=1000", "-F auid>=100000"),
        ("-a always,exit -F arch=b64 -S init", "-a never,exit -F arch=b64 -S init"),
        ("uid!=euid", "uid=euid"),
    ],
)
def test_a_rule_that_another_of_its_key_has_replaced_is_named_and_so_is_that(declared: Any, was: str, now: str) -> None:
    listed = [line.replace(was, now) for line in LISTED]
    (changed,) = (line for line, before in zip(listed, LISTED, strict=True) if line != before)
    (missing,) = AUDIT.audit_missing(listed, declared)
    assert AUDIT.audit_foreign(listed, declared) == [changed]
    assert missing.split()[-1] in changed


def test_nothing_in_the_kernel_is_all_of_it_missing(declared: Any) -> None:
    assert len(AUDIT.audit_missing(["No rules"], declared)) == len(LISTED)
    assert AUDIT.audit_foreign(["No rules"], declared) == []


def test_others_rules_are_theirs_unless_they_keep_the_kernel_from_recording(declared: Any) -> None:
    theirs = ["-w /srv/ledger -p r -k ledger", "-a always,exit -S all -F path=/srv/x -F perm=r"]
    blind = "-a never,exit -F arch=b64 -S all -F auid=1000"
    assert AUDIT.audit_foreign([*LISTED, *theirs, blind], declared) == [blind]


@pytest.mark.parametrize(
    ("written", "listed"),
    [
        ("-a exit,always -F path=/etc/x -F perm=aw", "-w /etc/x -p wa -k k"),
        ("-w /etc/x/ -p aw", "-w /etc/x -p wa -k k"),
        ("-a always,exit -F dir=/etc/x/ -F perm=wa", "-w /etc/x -p wa -k k"),
        ("-a always,exit -F arch=x86_64 -S open -S openat", "-a always,exit -F arch=b64 -S openat,open -F key=k"),
        ("-a always,exit -F auid!=4294967295 -F uid=root", "-a always,exit -S all -F auid!=-1 -F uid=0 -F key=k"),
        ("-a always,exit -S open -F a1&0100 -C euid!=uid", None),
        ("-a always,exit -S open -F a1&0x40 -C euid!=uid", "-a always,exit -S open -F a1&64 -C uid!=euid -F key=k"),
        ("-a always,exit -S open -F exit=-EACCES", "-a always,exit -S open -F exit=-EACCES -F key=k"),
    ],
)
def test_a_rule_is_the_same_however_it_is_written(written: str, listed: str | None) -> None:
    rule = [{"key": "k", "rules": [written]}]
    same = f"{written} -k k" if listed is None else listed
    assert AUDIT.audit_missing([same], rule) == []
    assert AUDIT.audit_foreign([same], rule) == []
