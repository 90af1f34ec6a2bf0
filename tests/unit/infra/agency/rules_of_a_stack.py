"""What must be true of every agency's stack."""

from infra.agency import program
from inventory.model import Agency
from tests.unit.infra.agency.stack import Cloud

IN_THE_PROJECT_OF_ITS_PROVIDER = ("ApplicationCredential", "ServerGroup", "Container")


def hold(cloud: Cloud, agency: Agency) -> None:
    """Raises AssertionError where it is not: things land in their system's project, and names are unique and legal."""
    estate = cloud.estate
    systems = [each for each in estate.systems.values() if each.agency == agency.name]
    projects = {f"id of Project {each.name}" for each in systems}
    assert {each["name"] for each in cloud.of("Project").values()} == {each.project for each in systems}
    urns = [(each.typ, each.name) for each in cloud.resources]
    assert len(set(urns)) == len(urns)
    assert "Instance" not in {each.typ.rpartition(":")[2] for each in cloud.resources}
    assert not [each.name for each in cloud.resources if "hypervisorHostname" in each.inputs]
    assert {each["roleId"] for each in cloud.of("RoleAssignment").values()} == {"id of member", "id of reader"}
    for each in cloud.of("ApplicationCredential").values():
        assert each["roles"] == ["member"]
        assert each["unrestricted"] is False
        assert each["expiresAt"] == "2027-01-01T00:00:00Z"
    landed = [each for each in cloud.resources if each.typ.endswith(IN_THE_PROJECT_OF_ITS_PROVIDER)]
    landed += [each for each in cloud.resources if each.inputs.get("action") == "access_as_shared"]
    assert {cloud.project_of(each) for each in landed} == projects
    assert {each.inputs["tenantId"] for each in cloud.resources if "tenantId" in each.inputs} <= projects
    assert cloud.secrets == {program.CREDENTIALS}
    assert set(cloud.outputs[program.CREDENTIALS]) == {each.name for each in systems}
    assert all(each["deleteDefaultRules"] is True for each in cloud.of("SecGroup").values())
    for kind in ("Project", "Network", "User", "GroupV3", "SecGroup", "ServerGroup", "Container"):
        for each in cloud.of(kind).values():
            assert len(each.get("name", "x")) <= (64 if kind in ("Project", "GroupV3") else 255)
