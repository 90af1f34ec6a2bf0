"""What must go before a thing that was not found can be made: a sentence each, with what to do."""

from collections.abc import Sequence

from controller.adapters.pulumi import finding
from controller.adapters.pulumi.finding import Cloud, Inputs, Row
from controller.errors import GdccError, RefusedError


async def bars(cloud: Cloud, kind: str, inputs: Inputs, login: Inputs) -> list[str]:
    """What must go before a thing that was not found can be made, a sentence each."""
    if kind == finding.APPLICATION_CREDENTIAL and login.get("userName"):
        return await _left_over(cloud, inputs, login)
    if kind == finding.SECURITY_RULE and inputs.get("securityGroupId"):
        return await _same_rule(cloud, await finding.by_range(cloud, inputs))
    if kind == finding.RBAC_POLICY and finding.owner(login):
        return await _anothers_policy(cloud, {**inputs, **finding.owner(login)})
    if kind == finding.CONTAINER and finding.owner(login):
        return await _unseen_account(cloud, str(inputs.get("name")), finding.owner(login)[finding.OWNER])
    return []


async def _left_over(cloud: Cloud, inputs: Inputs, login: Inputs) -> list[str]:
    return [
        f"{login['userName']} has an application credential {row['name']} whose secret nobody can read: delete it "
        f"(DELETE /v3{path}), or set gdcc:credentialsFrom to another day"
        for path, row in await finding.credentials(cloud, login)
        if row["name"] == inputs.get("name")
    ]


async def _anothers_policy(cloud: Cloud, inputs: Inputs) -> list[str]:
    """Neutron knows one policy of a thing, an action and a target, whoever made it."""
    return [
        f"RBAC policy {row['id']} is project {finding.owner_of(row)}'s and opens {inputs['objectType']} "
        f"{inputs['objectId']} to {inputs['targetTenant']} as declared: delete it once nothing there uses it, and `up` "
        "makes it anew"
        for row in await finding.same_policies(cloud, inputs)
        if not finding.is_owners(row, inputs)
    ]


async def unasked(cloud: Cloud, kind: str, inputs: Inputs, login: Inputs) -> list[str]:
    """What nobody can ask this cloud, a sentence each: of a store whose URL names no account."""
    if kind != finding.CONTAINER or not finding.owner(login):
        return []
    name, project = str(inputs.get("name")), finding.owner(login)[finding.OWNER]
    found = await cloud.containers(project)
    return _untold(found, name, project) if not isinstance(found, RefusedError) else []


async def _unseen_account(cloud: Cloud, name: str, project: str) -> list[str]:
    """A container is made over one that lives, which keeps whom it lets read and write where nobody else is named."""
    found = await cloud.containers(project)
    return _untold(found, name, project) if isinstance(found, RefusedError) else []


def _untold(found: Sequence[Row] | GdccError, name: str, project: str) -> list[str]:
    if not isinstance(found, GdccError):
        return []
    return [
        f"nobody can tell whether project {project} has a container {name} already, and whom it lets in: {found} (give "
        "whoever runs this the role that Swift's reseller_admin_role names, and have the store's URL name the account)"
    ]


async def _same_rule(cloud: Cloud, inputs: Inputs) -> list[str]:
    """Neutron takes the whole world and no range for the same, and refuses one beside the other."""
    wanted = {name: _narrow(inputs.get(key)) for key, name in finding.RULE.items()}
    rows = await cloud.listing("network", "/security-group-rules", "security_group_rules")
    return [
        f"rule {row['id']} of security group {row['security_group_id']} says {row['remote_ip_prefix'] or 'no range'} "
        f"where {inputs.get('remoteIpPrefix') or 'no range'} is declared: delete it, and `up` makes it anew"
        for row in rows
        if wanted == {name: _narrow(row.get(name)) for name in wanted}
    ]


def _narrow(value: object) -> str:
    text = finding.plain(value)
    return "" if text in {"0.0.0.0/0", "::/0"} else text
