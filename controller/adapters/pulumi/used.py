"""Quotas that a run would set beneath what is used: asked of the cloud before anything is touched.

Nova refuses such a quota in the middle of the run; Cinder and Neutron take it, and the project can make nothing more.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controller.adapters.pulumi import units, urns
from controller.adapters.pulumi.finding import Cloud
from controller.adapters.pulumi.runs import State, StepFailedError
from controller.errors import PermanentError

NEUTRON = "openstack:networking/quotaV2:QuotaV2"

LOGIN = "login"
"""The name of the quota of the project that Pulumi logs in to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """Where a quota's usage is read, and its service's names for what Pulumi's inputs mean."""

    service: str
    path: str
    table: str
    counts: Mapping[str, str]
    params: Mapping[str, str] | None = None


_SERVICES: Mapping[str, _Service] = {
    "openstack:compute/quotaSetV2:QuotaSetV2": _Service(
        service="compute",
        path="/os-quota-sets/{}/detail",
        table="quota_set",
        counts={"instances": "instances", "cores": "cores", "ram": "ram", "serverGroups": "server_groups"},
    ),
    "openstack:blockstorage/quoteSetV3:QuoteSetV3": _Service(
        service="block-storage",
        path="/os-quota-sets/{}",
        table="quota_set",
        params={"usage": "True"},
        counts={
            "volumes": "volumes",
            "gigabytes": "gigabytes",
            "snapshots": "snapshots",
            "backups": "backups",
            "backupGigabytes": "backup_gigabytes",
            "groups": "groups",
        },
    ),
    NEUTRON: _Service(
        service="network",
        path="/quotas/{}/details",
        table="quota",
        counts={
            "network": "network",
            "subnet": "subnet",
            "subnetpool": "subnetpool",
            "router": "router",
            "port": "port",
            "floatingip": "floatingip",
            "securityGroup": "security_group",
            "securityGroupRule": "security_group_rule",
            "rbacPolicy": "rbac_policy",
        },
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A quota of a project that lives, and those of its limits that would change.

    Whether they would be lower nobody can say from a state: they may have been raised by hand.
    """

    urn: str
    project_id: str
    limits: Mapping[str, int]


def changed(preview: Mapping[str, Any]) -> tuple[Changed, ...]:
    """The quotas that a preview would change, and those that it would write first to a project that lives."""
    return tuple(_changed(preview.get("steps") or ()))


def _changed(steps: Iterable[Mapping[str, Any]]) -> Iterator[Changed]:
    for step in steps:
        service = _SERVICES.get(urns.type_of(step["urn"]))
        if service is None or step["op"] not in {"create", "update"}:
            continue
        old, new = (((step.get(side) or {}).get("inputs") or {}) for side in ("oldState", "newState"))
        was, now = _limits(service, old), _limits(service, new)
        other = {name: limit for name, limit in now.items() if limit >= 0 and was.get(name) != limit}
        if other and _is_id(new.get("projectId")):
            yield Changed(urn=step["urn"], project_id=str(new["projectId"]), limits=other)


def _limits(service: _Service, inputs: Mapping[str, Any]) -> dict[str, int]:
    """The limits by their service's names; Cinder's of each volume type too."""
    said: dict[str, Any] = {there: inputs.get(name) for name, there in service.counts.items()}
    said |= inputs.get("volumeTypeQuota") or {}
    return {name: int(value) for name, value in said.items() if _is(value)}


def _is(value: object) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or str(value).lstrip("-").isdecimal()


def _is_id(value: object) -> bool:
    return isinstance(value, str) and len(value) == 32 and value.isalnum()


async def neutrons(cloud: Cloud, project_id: str) -> dict[str, int]:
    """What a project may have of Neutron, by the provider's inputs, or uses where that is more; -1 for no limit.

    Raises `PermanentError` where Neutron tells nothing of it.
    """
    service = _SERVICES[NEUTRON]
    answer = await cloud.rows.find(service.service, service.path.format(project_id), service.params)
    rows = (answer or {}).get(service.table) or {}
    told = {name: rows[there] for name, there in service.counts.items() if there in rows}
    if not told:
        raise PermanentError(
            f"tells no quota of project {project_id}, to which a login's is only raised",
            where="network",
            remedy="is it the project that you log in to? else write gdcc:loginQuota of the foundation by hand",
        )
    return {name: units.NO_LIMIT if row["limit"] < 0 else max(row["limit"], _in_use(row)) for name, row in told.items()}


async def refuse(cloud: Cloud, asked: Iterable[Changed]) -> None:
    """Raises `StepFailedError` that names the first quota beneath its usage, and all of its limits that are."""
    for each in asked:
        service = _SERVICES[urns.type_of(each.urn)]
        answer = await cloud.rows.find(service.service, service.path.format(each.project_id), service.params)
        used = (answer or {}).get(service.table) or {}
        over = {name: _in_use(used.get(name)) for name, limit in each.limits.items() if _in_use(used.get(name)) > limit}
        if over:
            kind, spoken = urns.kind_of(each.urn), {there: name for name, there in service.counts.items()}
            said = ", ".join(
                f"{name} {units.words(each.limits[name], kind, spoken.get(name, name))} where "
                f"{units.words(count, kind, spoken.get(name, name))} are in use"
                for name, count in sorted(over.items())
            )
            raised = (
                "gdcc:loginQuota of the foundation" if urns.name_of(each.urn) == LOGIN else "the quota in the estate"
            )
            remedy = f"raise {raised}, or have its owners give back what they do not need"
            raise StepFailedError(State.FAILED, f"{kind} {urns.name_of(each.urn)} would allow {said}: {remedy}")


def _in_use(row: object) -> int:
    """What is used and promised: Neutron says `used`, the others `in_use`."""
    if not isinstance(row, Mapping):
        return 0
    return int(row.get("in_use", row.get("used")) or 0) + int(row.get("reserved") or 0)
