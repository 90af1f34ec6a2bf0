"""A system that is renamed: its stack finds all that it has by the former name, and nothing is replaced."""

from dataclasses import replace

import pytest

from infra import naming, renaming
from inventory.model import Classification, DataSet, Estate
from tests.unit.infra.agency import stack
from tests.unit.infra.policy import programs

OLD, NEW, OTHER = "road-traffic", "road-flow", "visitor-guide"
AT_REST = ("ServerGroup", "User", "ApplicationCredential")
"""Kinds that a new name would replace, and the login of who uses them."""

TOLD = {"organization/gdcc/agency-tourism": {"project_ids": {OTHER: "p9"}}}


def renamed(estate: Estate, old: str, new: str) -> Estate:
    systems = dict(estate.systems)
    systems[new] = replace(systems.pop(old), name=new, formerly=(old,))
    shares = {
        name: replace(each, share_network_with=tuple(new if at == old else at for at in each.share_network_with))
        for name, each in systems.items()
    }
    data_sets = {
        name: replace(each, system=new) if each.system == old else each for name, each in estate.data_sets.items()
    }
    return replace(estate, systems=shares, data_sets=data_sets)


def declared(estate: Estate, agency: str) -> tuple[stack.Cloud, list[programs.Registered]]:
    cloud = stack.Cloud(estate=estate, stacks=TOLD)
    monitor = programs.Monitor(naming.agency_stack(agency), cloud)
    stack.run(cloud, agency, monitor)
    return cloud, [each for each in monitor.registered if each.request.type != "pulumi:pulumi:Stack"]


def found_by(each: programs.Registered) -> set[str]:
    """The URNs that Pulumi knows the resource by: its own, and one for each alias."""
    place = each.urn.rpartition("::")[0]
    return {each.urn, *(f"{place}::{alias.spec.name}" for alias in each.request.aliases)}


@pytest.mark.parametrize(("old", "new"), [(OLD, NEW), (OTHER, "city-guide")])
def test_every_child_of_a_renamed_system_has_an_alias_by_which_its_stack_finds_it(
    five: Estate, old: str, new: str
) -> None:
    """The system itself, and another one whose network is shared with it."""
    before = {each.urn for each in declared(five, "roads")[1]}
    after = declared(renamed(five, old, new), "roads")[1]
    named_anew = [each for each in after if each.urn not in before]
    assert len(named_anew) > (30 if old == OLD else 0)
    assert [each.urn for each in named_anew if not found_by(each) & before] == []
    assert before == {urn for each in after for urn in found_by(each) & before}
    assert all(not each.request.aliases for each in after if each.urn in before)


def test_what_the_cloud_cannot_rename_and_what_its_tool_logs_in_with_stay_as_they_were(five: Estate) -> None:
    (before, _), (after, _) = declared(five, "roads"), declared(renamed(five, OLD, NEW), "roads")
    for kind in AT_REST:
        was, now = before.of(kind), after.of(kind)
        assert [each["name"] for each in was.values()] == [each["name"] for each in now.values()], kind
    assert before.of("User")[OLD]["password"] == after.of("User")[NEW]["password"]
    assert before.of("ApplicationCredential")[OLD] == after.of("ApplicationCredential")[NEW]
    assert before.of("Project")[OLD]["name"] == after.of("Project")[NEW]["name"]
    assert after.of("Network")[NEW]["name"] == naming.network(NEW), "what can be renamed is"


def test_a_system_that_got_its_name_back_finds_what_it_had_by_the_name_between(five: Estate) -> None:
    between = {each.urn for each in declared(renamed(five, OLD, NEW), "roads")[1]}
    twice = renamed(renamed(five, OLD, NEW), NEW, OLD)
    back = replace(twice.systems[OLD], formerly=(OLD, NEW))
    cloud, after = declared(replace(twice, systems={**twice.systems, OLD: back}), "roads")
    assert between == {urn for each in after for urn in found_by(each) & between}
    before, _ = declared(five, "roads")
    assert [each["name"] for each in cloud.of("ServerGroup").values()] == [
        each["name"] for each in before.of("ServerGroup").values()
    ]


def test_what_another_stack_still_tells_by_the_former_name_is_found(five: Estate) -> None:
    cloud, made = declared(renamed(five, OTHER, "city-guide"), "roads")
    assert cloud.outputs["waiting"] == []
    assert cloud.of("Container")["road-counts"]["containerRead"] == "p9:*"
    assert [said for said in programs.reports(made) if "shared" in said] == []


def test_a_server_group_is_found_where_another_agencys_system_is_called_as_it_is(five: Estate) -> None:
    role = next(each.role for each in five.systems[OLD].vm_sets if each.spreads)
    before = {each.urn for each in declared(five, "roads")[1]}
    after = renamed(five, OLD, NEW)
    alike = replace(
        five.systems[OTHER], name=f"{NEW}-{role}", project=f"{NEW}-{role}", vm_sets=(), share_network_with=()
    )
    made = declared(replace(after, systems={**after.systems, alike.name: alike}), "roads")[1]
    assert before == {urn for each in made for urn in found_by(each) & before}


def test_a_data_set_that_begins_like_the_new_name_is_not_taken_for_one_that_begins_like_the_old(five: Estate) -> None:
    one = DataSet(name=f"{OLD}-counts", system=OLD, classification=Classification.OPEN)
    after = renamed(replace(five, data_sets={one.name: one}), OLD, NEW)
    two = replace(one, name=f"{NEW}-counts", system=NEW)
    made = declared(replace(after, data_sets={**after.data_sets, two.name: two}), "roads")[1]
    own = {each.urn for each in made}
    assert [each.urn for each in made if found_by(each) & own != {each.urn}] == []


@pytest.mark.parametrize(
    ("name", "former"),
    [
        ("tax", ["duty"]),
        ("tax-web", []),
        ("tax.web.ingress-tcp-443-0.0.0.0/0", ["duty.web.ingress-tcp-443-0.0.0.0/0"]),
        ("tax-return", []),
        ("tax-return.web", []),
        ("taxes", []),
        ("law.tax", ["law.duty"]),
        ("tax.tax", ["tax.duty", "duty.tax", "duty.duty"]),
    ],
)
def test_a_resource_is_named_after_the_longest_system_that_ends_at_its_points(name: str, former: list[str]) -> None:
    assert list(renaming.former(name, {"tax": ("duty",), "tax-return": (), "law": ()})) == former
