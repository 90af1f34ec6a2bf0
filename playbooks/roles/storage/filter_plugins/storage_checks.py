"""What may not be formatted, and how the running storage differs from what is declared."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

SHOWN = frozenset({"ro", "rw", "noatime", "relatime", "nodev", "nosuid", "noexec"})
"""Options that the kernel tells of a mount as they were given."""


def format_refusals(
    wanted: Mapping[str, str], probes: Sequence[Mapping[str, Any]], may_format: Sequence[str]
) -> Iterable[str]:
    """Why a device may not be given its content.

    `wanted` is device to content (`ext4`, or `LVM2_member of GROUP`), `probes` are answers of `wipefs --json`, each
    with its device as `item`. What already holds the content is left alone.
    """
    found = {each["item"]: signatures(each) for each in probes}
    for device, content in wanted.items():
        kind = content.split()[0]
        had = found.get(device)
        if had is None:
            yield f"{device} is declared to hold {content}, and there is no such device"
        elif kind in had:
            continue
        elif had:
            yield f"{device} is declared to hold {content}, and holds {', '.join(had)}: nothing here erases that"
        elif device not in may_format:
            yield f"{device} is blank and declared to hold {content}: name it in storage_may_format, if it is meant"


def signatures(probe: Mapping[str, Any]) -> list[str] | None:
    """None where the device could not be read."""
    if probe["rc"]:
        return None
    listed = json.loads(probe["stdout"] or "{}").get("signatures", [])
    return sorted({each["type"] for each in listed})


def group_refusals(groups: Sequence[Mapping[str, Any]], report: str) -> Iterable[str]:
    """Physical volumes that another group has; `report` is of `pvs --reportformat json`."""
    rows = json.loads(report)["report"][0]["pv"] if report else []
    owners = {row["pv_name"]: row["vg_name"] for row in rows}
    for group in groups:
        for device in group["devices"]:
            if owners.get(device, group["name"]) not in {group["name"], ""}:
                yield f"{device} is declared in the volume group {group['name']}, and is in {owners[device]}"


def volume_problems(
    groups: Sequence[Mapping[str, Any]], volumes: Sequence[Mapping[str, Any]], pvs: str, lvs: str
) -> Iterable[str]:
    """Sentences from the JSON reports of `pvs` and of `lvs --units m --nosuffix`."""
    owners = {row["pv_name"]: row["vg_name"] for row in (json.loads(pvs)["report"][0]["pv"] if pvs else [])}
    for group in groups:
        for device in group["devices"]:
            if owners.get(device) != group["name"]:
                had = owners.get(device) or "in none"
                yield f"{device} is declared in the volume group {group['name']}, found {had}"
    rows = json.loads(lvs)["report"][0]["lv"] if lvs else []
    sizes = {(row["vg_name"], row["lv_name"]): float(row["lv_size"]) for row in rows}
    for volume in volumes:
        size = sizes.get((volume["group"], volume["name"]))
        name = f"{volume['group']}/{volume['name']}"
        if size is None:
            yield f"the volume {name} is declared, and there is none"
        elif size < volume["size_mib"]:
            yield f"the volume {name} is declared with {volume['size_mib']} MiB, found {size:g}"


def mount_problems(mounts: Sequence[Mapping[str, Any]], listing: str) -> dict[str, list[str]]:
    """Path to sentences, from `findmnt --json --list`."""
    found = mounted(listing)
    problems = {mount["path"]: list(differences(mount, found.get(mount["path"]))) for mount in mounts}
    return {path: each for path, each in problems.items() if each}


def mounted(listing: str) -> dict[str, Mapping[str, Any]]:
    """By path; the last mount on a path is the one that is seen."""
    rows = json.loads(listing)["filesystems"] if listing else []
    return {row["target"]: row for row in rows}


def differences(mount: Mapping[str, Any], found: Mapping[str, Any] | None) -> Iterable[str]:
    path = mount["path"]
    if found is None:
        yield f"{path} is declared as a mount of {mount['source']}, and nothing is mounted there"
        return
    if other_type(mount, found):
        yield f"{path}: type {mount['type']} is declared, found {found['fstype']}"
    if other_source(mount, found):
        yield f"{path}: source {mount['source']} is declared, found {found['source']}"
    if lacking := lacking_options(mount, found):
        yield f"{path}: {', '.join(lacking)} is declared, found {found['options']}"


def mount_facts(mounts: Sequence[Mapping[str, Any]], listing: str) -> dict[str, dict[str, object]]:
    """Path to device, type and options, each with `declared`, `found` and `differs`; options only where some are."""
    found = mounted(listing)
    return {mount["path"]: mount_fact(mount, found.get(mount["path"])) for mount in mounts}


def mount_fact(mount: Mapping[str, Any], found: Mapping[str, Any] | None) -> dict[str, object]:
    there = {"source": "none", "fstype": "none", "options": "none"} if found is None else found
    parts: dict[str, tuple[object, object, bool]] = {
        "device": (mount["source"], there["source"], found is None or other_source(mount, there)),
        "type": (mount["type"], there["fstype"], found is None or other_type(mount, there)),
    }
    if options := mount.get("options"):
        lacks = found is None or bool(lacking_options(mount, there))
        parts["options"] = (",".join(options), there["options"], lacks)
    return {name: dict(zip(("declared", "found", "differs"), each, strict=True)) for name, each in parts.items()}


def other_type(mount: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """A folder that is mounted elsewhere has the type of what it stands on."""
    kind = mount["type"].removesuffix("4") if remote(mount) else mount["type"]
    return mount["type"] != "none" and not found["fstype"].startswith(kind)


def other_source(mount: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Only devices and NFS exports are told by the kernel as they were given."""
    told = mount["source"].startswith("/dev/") or remote(mount)
    return told and device(mount["source"]) != device(found["source"])


def lacking_options(mount: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    return sorted((set(mount.get("options") or []) & SHOWN) - set(found["options"].split(",")))


def remote(mount: Mapping[str, Any]) -> bool:
    return mount["type"].startswith("nfs")


def device(source: str) -> str:
    """One name for a logical volume's two: `/dev/group/volume` and `/dev/mapper/group-volume`."""
    words = source.split("/")
    if len(words) == 4 and words[1] == "dev" and words[2] != "mapper":
        return "/dev/mapper/" + "-".join(each.replace("-", "--") for each in words[2:])
    return source


class FilterModule:
    def filters(self) -> Mapping[str, Any]:
        return {
            "storage_format_refusals": lambda *given: list(format_refusals(*given)),
            "storage_group_refusals": lambda *given: list(group_refusals(*given)),
            "storage_volume_problems": lambda *given: list(volume_problems(*given)),
            "storage_mount_problems": mount_problems,
            "storage_mount_facts": mount_facts,
        }
