"""What may be formatted, and what is said of volumes and mounts that differ."""

import json
from typing import Any

import pytest

from tests.unit.playbooks.role_modules import role_module

CHECKS = role_module("storage/filter_plugins/storage_checks.py")
GROUP = {"name": "data", "devices": ["/dev/sdb"]}
NFS = {"path": "/srv/images", "source": "nas:/images", "type": "nfs4", "options": ["ro", "hard"]}
VOLUME = {"path": "/var/lib/nova", "source": "/dev/data/no-va", "type": "xfs"}


def probe(device: str, *types: str, rc: int = 0) -> dict[str, Any]:
    listed = json.dumps({"signatures": [{"device": device, "type": each} for each in types]}) if types else ""
    return {"item": device, "rc": rc, "stdout": listed}


def refusals(*probes: dict[str, Any], may_format: tuple[str, ...] = ("/dev/sdb",), content: str = "ext4") -> list[str]:
    return list(CHECKS.format_refusals({"/dev/sdb": content}, probes, may_format))


def test_a_blank_device_that_is_named_may_be_formatted() -> None:
    assert refusals(probe("/dev/sdb")) == []


def test_a_blank_device_that_nobody_named_is_refused() -> None:
    (refusal,) = refusals(probe("/dev/sdb"), may_format=())
    assert refusal == "/dev/sdb is blank and declared to hold ext4: name it in storage_may_format, if it is meant"


@pytest.mark.parametrize("types", [("xfs",), ("gpt", "PMBR"), ("LVM2_member",), ("linux_raid_member",)])
def test_a_device_that_holds_anything_else_is_refused_even_when_it_is_named(types: tuple[str, ...]) -> None:
    (refusal,) = refusals(probe("/dev/sdb", *types))
    assert refusal.endswith(f"and holds {', '.join(sorted(types))}: nothing here erases that")


def test_a_device_that_holds_what_is_declared_is_left_alone() -> None:
    assert refusals(probe("/dev/sdb", "ext4"), may_format=()) == []
    assert refusals(probe("/dev/sdb", "LVM2_member"), may_format=(), content="LVM2_member of data") == []


def test_a_device_that_is_not_there_is_refused() -> None:
    assert refusals(probe("/dev/sdb", rc=1)) == ["/dev/sdb is declared to hold ext4, and there is no such device"]


def pvs(group: str) -> str:
    return json.dumps({"report": [{"pv": [{"pv_name": "/dev/sdb", "vg_name": group}]}]})


def test_a_device_of_another_group_is_refused() -> None:
    assert list(CHECKS.group_refusals([GROUP], pvs("data"))) == []
    (refusal,) = CHECKS.group_refusals([GROUP], pvs("other"))
    assert refusal == "/dev/sdb is declared in the volume group data, and is in other"


def test_volumes_missing_or_too_small_are_named() -> None:
    lvs = json.dumps({"report": [{"lv": [{"vg_name": "data", "lv_name": "nova", "lv_size": "100.00"}]}]})
    volumes = [{"group": "data", "name": "nova", "size_mib": 128}, {"group": "data", "name": "log", "size_mib": 8}]
    assert list(CHECKS.volume_problems([GROUP], volumes, pvs(""), lvs)) == [
        "/dev/sdb is declared in the volume group data, found in none",
        "the volume data/nova is declared with 128 MiB, found 100",
        "the volume data/log is declared, and there is none",
    ]


def mounted(*rows: dict[str, str]) -> str:
    return json.dumps({"filesystems": list(rows)})


def row(target: str, source: str, fstype: str, options: str) -> dict[str, str]:
    return {"target": target, "source": source, "fstype": fstype, "options": options}


def test_mounts_as_declared_are_no_problem_under_either_name_of_a_volume() -> None:
    found = mounted(
        row("/srv/images", "nas:/images", "nfs4", "ro,vers=4.2"),
        row("/var/lib/nova", "/dev/mapper/data-no--va", "xfs", "rw"),
    )
    assert CHECKS.mount_problems([NFS, VOLUME], found) == {}


def test_what_is_mounted_otherwise_is_named_by_its_path() -> None:
    found = mounted(row("/srv/images", "old:/images", "nfs4", "rw"))
    assert CHECKS.mount_problems([NFS, VOLUME], found) == {
        "/srv/images": [
            "/srv/images: source nas:/images is declared, found old:/images",
            "/srv/images: ro is declared, found rw",
        ],
        "/var/lib/nova": ["/var/lib/nova is declared as a mount of /dev/data/no-va, and nothing is mounted there"],
    }
