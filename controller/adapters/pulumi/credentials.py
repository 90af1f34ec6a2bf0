"""Application credentials that a killed run asked for: Keystone gave them, and their secret died with the run."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from controller.adapters.pulumi import finding, importing, state


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """One such credential: what asked for it, its id, and where Keystone has it."""

    urn: str
    id: str
    path: str


async def asked_for(
    cloud: finding.Cloud, wanted: Iterable[importing.Declared], standing: Iterable[state.Resource]
) -> tuple[Orphan, ...]:
    """Of what a run was creating: credentials that Keystone has exactly so, of that very user and project."""
    logins = {each.urn: each.inputs for each in standing if each.type == importing.PROVIDER}
    found: list[Orphan] = []
    for each in wanted:
        login = logins.get(each.named_provider)
        if each.type == finding.APPLICATION_CREDENTIAL and login is not None:
            for path, row in await finding.credentials(cloud, login):
                if _the_same(each.inputs, login, row):
                    found.append(Orphan(urn=each.urn, id=str(row["id"]), path=path))
    return tuple(found)


async def delete(cloud: finding.Cloud, orphans: Iterable[Orphan], kept: Collection[str | None]) -> Mapping[str, str]:
    """Deletes those that the state does not hold by now, and gives their ids by URN."""
    gone: dict[str, str] = {}
    for each in orphans:
        if each.id not in kept:
            await cloud.rows.write("identity", "DELETE", each.path)
            gone[each.urn] = each.id
    return gone


def _the_same(inputs: finding.Inputs, login: finding.Inputs, row: Mapping[str, Any]) -> bool:
    said = (inputs.get("name"), inputs.get("description"), login.get("tenantId"), bool(inputs.get("unrestricted")))
    has = (row.get("name"), row.get("description"), row.get("project_id"), bool(row.get("unrestricted")))
    return None not in said and said == has and _moment(inputs.get("expiresAt")) == _moment(row.get("expires_at"))


def _moment(text: object) -> str:
    """Keystone answers `2027-01-01T00:00:00.000000` to `2027-01-01T00:00:00Z`."""
    return str(text or "").removesuffix("Z").partition(".")[0]
