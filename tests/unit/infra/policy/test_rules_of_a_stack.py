"""Each rule between resources: what breaks it, and the nearest thing that does not."""

from collections.abc import Iterable

import pytest

from infra.policy import every, kinds
from infra.policy.declared import UNKNOWN, Resource
from infra.policy.rule import StackRule
from infra.policy.rules import (
    admin_role,
    container_sharing,
    filter_peers,
    flavor_access,
    gateways,
    image_sharing,
    image_use,
    known_kinds,
    network_sharing,
    ownership,
    quota_coverage,
    volume_type_access,
    world_rules,
)
from tests.unit.infra.policy.declaring import AGENCY, broken, meanings, project, resource

FOUNDATION = "foundation"
LEVELS = meanings(
    {"id-open": "open", "id-internal": "internal", "id-confidential": "confidential", "id-secret": "secret"},
    {"r-member": "member", "r-admin": "admin", "r-watch": "gdcc-on-call"},
)
HEALTH = project("confidential", "health", identity="p-health")
BUSES = project("open", "buses", identity="p-buses")
NETWORK = resource(kinds.NETWORK, tenantId=UNKNOWN, refer={"tenantId": HEALTH})
OPEN_NETWORK = resource(kinds.NETWORK, tenantId=UNKNOWN, refer={"tenantId": BUSES})
IMAGE = resource(kinds.IMAGE, tags=["classification:confidential"], visibility="shared")

Case = tuple[StackRule, tuple[Resource, ...], str]


def access(of: Resource, **inputs: object) -> Resource:
    return resource(kinds.FLAVOR_ACCESS, **{"tenantId": UNKNOWN, **inputs}, refer={"tenantId": of})


def volume_type(of: Resource, **inputs: object) -> Resource:
    return resource(kinds.VOLUME_TYPE_ACCESS, **{"projectId": UNKNOWN, **inputs}, refer={"projectId": of})


def router(of: Resource, network: str) -> Resource:
    return resource(kinds.ROUTER, tenantId=UNKNOWN, externalNetworkId=network, refer={"tenantId": of})


def shared(
    network: Resource, target: object, *, action: str = "access_as_shared", to: Iterable[Resource] = ()
) -> Resource:
    return resource(
        kinds.RBAC_POLICY,
        action=action,
        objectType="network",
        objectId=UNKNOWN,
        targetTenant=target,
        refer={"objectId": network, "targetTenant": to},
    )


def container(level: str | None, read: object = None, *, of: Iterable[Resource] = (), **inputs: object) -> Resource:
    metadata = {} if level is None else {"classification": level}
    return resource(kinds.CONTAINER, metadata=metadata, containerRead=read, refer={"containerRead": of}, **inputs)


def from_image(of: Resource, kind: str, **inputs: object) -> tuple[Resource, ...]:
    """Something made by a provider that is logged in to a project."""
    provider = resource(kinds.PROVIDER, "agency", tenantId=UNKNOWN, refer={"tenantId": of})
    return LEVELS, of, provider, resource(kind, provider=provider.urn, **inputs)


def world_rule(
    of: Resource, prefix: str | None = "0.0.0.0/0", *, direction: str = "ingress", stack: str = AGENCY
) -> tuple[Resource, ...]:
    group = resource(kinds.SECURITY_GROUP, tenantId=UNKNOWN, refer={"tenantId": of})
    rule = resource(
        kinds.SECURITY_RULE,
        stack=stack,
        direction=direction,
        remoteIpPrefix=prefix,
        securityGroupId=UNKNOWN,
        refer={"securityGroupId": group},
    )
    return of, group, rule


def filtered(
    of: Resource, *, ranges: Iterable[Resource] = (), beside: Iterable[Resource] = (), **inputs: object
) -> tuple[Resource, ...]:
    """A rule of a project's group, its peer made from the subnets `ranges`; `beside` stands in its stack as well."""
    group = resource(kinds.SECURITY_GROUP, tenantId=UNKNOWN, refer={"tenantId": of})
    refer = {"securityGroupId": group, "remoteIpPrefix": ranges}
    rule = resource(kinds.SECURITY_RULE, direction="egress", securityGroupId=UNKNOWN, refer=refer, **inputs)
    told = resource(kinds.MEANINGS, "ranges", ranges={"10.203.0.0/24": "confidential", "10.201.0.0/24": "open"})
    return HEALTH, BUSES, POOL, of, *ranges, *beside, group, rule, told


POOL = resource(kinds.SUBNET_POOL, prefixes=["10.160.0.0/20"])


def subnet(of: Resource, called: str, cidr: str | None = None) -> Resource:
    """A subnet of the pool, or of a range of its own."""
    if cidr is not None:
        return resource(kinds.SUBNET, called, name=called, cidr=cidr, tenantId=UNKNOWN, refer={"tenantId": of})
    refer = {"tenantId": of, "subnetpoolId": POOL}
    return resource(kinds.SUBNET, called, name=called, tenantId=UNKNOWN, subnetpoolId=UNKNOWN, refer=refer)


OURS, LOWER = subnet(HEALTH, "ours"), subnet(BUSES, "bus")


def assigned(role: object, *, stack: str = "agency-tax", to: Iterable[Resource] = (), **who: object) -> Resource:
    return resource(kinds.ROLE_ASSIGNMENT, stack=stack, roleId=role, refer={"groupId": to}, **who)


def by_login(in_project: Resource, kind: str, **inputs: object) -> tuple[Resource, ...]:
    """A thing that names no project and says that its data is open, made by a login to this one."""
    login = resource(kinds.PROVIDER, "deployer", tenantId=UNKNOWN, refer={"tenantId": in_project})
    return in_project, login, resource(kind, provider=login.urn, tags=["classification:open"], **inputs)


def made_by(user: Iterable[Resource], in_project: Iterable[Resource], kind: str) -> tuple[Resource, ...]:
    provider = resource(kinds.PROVIDER, "agency", refer={"userName": user, "tenantId": in_project})
    return (*user, *in_project, provider, resource(kind, provider=provider.urn))


USER = resource(kinds.USER, "deployer")
OPERATORS = resource(kinds.GROUP, "operators", stack=FOUNDATION)
QUOTAS = tuple(resource(kind, projectId=UNKNOWN, refer={"projectId": HEALTH}) for kind in quota_coverage.QUOTAS)

BROKEN: list[Case] = [
    (flavor_access.RULE, (LEVELS, HEALTH, access(HEALTH, flavorId="id-internal")), "confidential project"),
    (flavor_access.RULE, (LEVELS, HEALTH, access(HEALTH, flavorId="id-nobody-told")), "nothing tells the level"),
    (flavor_access.RULE, (LEVELS, access(HEALTH, flavorId="id-secret")), "level of its project"),
    (volume_type_access.RULE, (LEVELS, HEALTH, volume_type(HEALTH, volumeTypeId="id-open")), "cleared for open"),
    (gateways.RULE, (LEVELS, HEALTH, router(HEALTH, "id-open")), "an external network"),
    (filter_peers.RULE, filtered(HEALTH, remoteIpPrefix="10.160.0.0/19"), "nothing tells the level of 10.160.0.0/19"),
    (filter_peers.RULE, filtered(HEALTH, remoteIpPrefix="10.9.0.0/20"), "nothing tells the level of 10.9.0.0/20"),
    (filter_peers.RULE, filtered(HEALTH, remoteIpPrefix="10.160.0.0/33"), "nothing tells the level of 10.160.0.0/33"),
    *(
        (
            filter_peers.RULE,
            filtered(HEALTH, ranges=made_from, beside=[OURS, LOWER], remoteIpPrefix=prefix),
            f"confidential data is shared with subnet bus in {prefix} of level open",
        )
        for prefix, made_from in (
            ("10.160.0.0/20", ()),
            ("10.160.0.0/20", [OURS]),
            ("10.160.0.0/16", [OURS]),
            ("10.160.4.0/26", ()),
        )
    ),
    *(
        (
            filter_peers.RULE,
            filtered(HEALTH, ranges=made_from, beside=[subnet(BUSES, "bus", "10.77.0.0/24")], remoteIpPrefix=prefix),
            f"shared with subnet bus in {prefix} of level open",
        )
        for prefix, made_from in (("10.77.0.0/24", ()), ("10.77.0.8/32", ()), ("10.77.0.0/16", [OURS]))
    ),
    (filter_peers.RULE, filtered(HEALTH, remoteIpPrefix="10.201.0.7/32"), "shared with 10.201.0.7/32 of level open"),
    (filter_peers.RULE, filtered(HEALTH, remoteIpPrefix="10.203.0.0/23"), "nothing tells the level of 10.203.0.0/23"),
    (filter_peers.RULE, filtered(HEALTH, remoteIpPrefix=UNKNOWN), "what its remoteIpPrefix is made from"),
    (
        filter_peers.RULE,
        filtered(HEALTH, ranges=[OURS, LOWER], remoteIpPrefix=UNKNOWN),
        "confidential data is shared with subnet bus of level open",
    ),
    (filter_peers.RULE, filtered(HEALTH, remoteGroupId="elsewhere"), "its remote group"),
    (network_sharing.RULE, (LEVELS, HEALTH, NETWORK, shared(NETWORK, "id-internal")), "level internal"),
    (network_sharing.RULE, (LEVELS, HEALTH, NETWORK, shared(NETWORK, "*")), "every project"),
    (network_sharing.RULE, (LEVELS, HEALTH, NETWORK, shared(NETWORK, "p-nobody-told")), "nothing tells"),
    (network_sharing.RULE, (LEVELS, HEALTH, BUSES, NETWORK, shared(NETWORK, UNKNOWN, to=[BUSES])), "level open"),
    (network_sharing.RULE, (HEALTH, resource(kinds.NETWORK, shared=True, refer={"tenantId": HEALTH})), "shared with"),
    (
        network_sharing.RULE,
        (LEVELS, HEALTH, BUSES, OPEN_NETWORK, shared(OPEN_NETWORK, UNKNOWN, action="access_as_external", to=[HEALTH])),
        "cleared for open only",
    ),
    (network_sharing.RULE, (HEALTH, resource(kinds.NETWORK, external=True, refer={"tenantId": HEALTH})), "external"),
    (network_sharing.RULE, (LEVELS, *by_login(HEALTH, kinds.NETWORK, shared=True)), "shared with every project"),
    (image_sharing.RULE, (resource(kinds.IMAGE, visibility="public", tags=["classification:internal"]),), "public"),
    (image_sharing.RULE, (resource(kinds.IMAGE, visibility="community"),), "community"),
    (
        image_sharing.RULE,
        (LEVELS, IMAGE, resource(kinds.IMAGE_ACCESS, memberId="id-open", refer={"imageId": IMAGE})),
        "level open",
    ),
    (image_use.RULE, from_image(BUSES, kinds.VOLUME, imageId="id-internal"), "image of internal data"),
    (image_use.RULE, from_image(HEALTH, kinds.INSTANCE, imageId="id-nobody-told"), "the image it is made from"),
    (
        image_use.RULE,
        from_image(HEALTH, kinds.INSTANCE, blockDevices=[{"sourceType": "image", "uuid": "id-secret"}]),
        "image of secret data",
    ),
    (image_use.RULE, (LEVELS, resource(kinds.VOLUME, imageId="id-open")), "level of its project"),
    (
        image_use.RULE,
        (IMAGE, resource(kinds.VOLUME, imageId=UNKNOWN, refer={"imageId": IMAGE}), BUSES),
        "level of its project",
    ),
    (container_sharing.RULE, (container("internal", ".r:*,.rlistings"),), "everybody"),
    (container_sharing.RULE, (container("internal", "*:*"),), "everybody"),
    (container_sharing.RULE, (LEVELS, container("confidential", "id-secret:*, id-internal:*")), "level internal"),
    (container_sharing.RULE, (LEVELS, container("internal", "p-nobody-told:*")), "nothing tells"),
    (container_sharing.RULE, (BUSES, container("internal", "p-buses:*", of=[BUSES])), "level open"),
    (container_sharing.RULE, (BUSES, container("internal", UNKNOWN, of=[BUSES])), "level open"),
    (container_sharing.RULE, (container(None),), "classification"),
    (container_sharing.RULE, (container("open", containerWrite="id-open:*"),), "containerWrite"),
    (container_sharing.RULE, (container("secret", containerSyncTo="//realm/other/AUTH_x/c"),), "containerSyncTo"),
    (known_kinds.RULE, (resource("openstack:identity/ec2CredentialV3:Ec2CredentialV3"),), "no policy judges"),
    (known_kinds.RULE, (resource("openstack:objectstorage/tempUrl:TempUrl"),), "no policy judges"),
    (world_rules.RULE, world_rule(HEALTH), "confidential data"),
    *(
        (world_rules.RULE, world_rule(HEALTH, prefix), f"{prefix} reaches confidential data")
        for prefix in ("2000::/3", "::/0", "0.0.0.0/1", "128.0.0.0/1", "8.0.0.0/8", "2001:db8::/31", "8.8.0.0/15")
    ),
    *(
        (world_rules.RULE, world_rule(HEALTH, prefix, direction="egress"), "is sent confidential data")
        for prefix in ("0.0.0.0/0", "8.0.0.0/8", None)
    ),
    (world_rules.RULE, (resource(kinds.ADDRESS_GROUP, addresses=["10.0.0.0/24", "::/0"]),), "::/0"),
    *(
        (world_rules.RULE, filtered(HEALTH, remoteAddressGroupId=group), "its address group, of which older firewalls")
        for group in ("elsewhere", UNKNOWN)
    ),
    (
        world_rules.RULE,
        (resource(kinds.SECURITY_RULE, direction="ingress", tenantId="p-nobody-told"),),
        "level nothing tells",
    ),
    (
        world_rules.RULE,
        (BUSES, resource(kinds.SECURITY_RULE, direction="ingress", securityGroupId="elsewhere", tenantId="p-buses")),
        "level nothing tells",
    ),
    (world_rules.RULE, world_rule(HEALTH, "10.0.0.0/33"), "10.0.0.0/33 reaches"),
    (
        world_rules.RULE,
        (
            *by_login(HEALTH, kinds.SECURITY_GROUP),
            resource(
                kinds.SECURITY_RULE,
                direction="ingress",
                securityGroupId=UNKNOWN,
                refer={"securityGroupId": by_login(HEALTH, kinds.SECURITY_GROUP)[-1]},
            ),
        ),
        "confidential data",
    ),
    (admin_role.RULE, (LEVELS, assigned("r-admin", groupId="g")), "role admin"),
    (admin_role.RULE, (LEVELS, assigned("r-watch", groupId="g")), "role gdcc-on-call"),
    (admin_role.RULE, (LEVELS, assigned("r-nobody-told", groupId="g")), "nothing names role"),
    (admin_role.RULE, (LEVELS, assigned("r-admin", stack=FOUNDATION, userId="u")), "no group of this stack"),
    (admin_role.RULE, (LEVELS, assigned("r-admin", stack=FOUNDATION, groupId="g")), "no group of this stack"),
    (admin_role.RULE, (resource(kinds.ROLE, name="Admin"),), "declares role"),
    *(
        (ownership.RULE, (resource(kind),), "Pulumi's own user")
        for kind in (kinds.SERVER_GROUP, kinds.CONTAINER, kinds.APPLICATION_CREDENTIAL)
    ),
    *(
        (ownership.RULE, (HEALTH, resource(kind)), "the project of Pulumi's own user")
        for kind in ownership.IN_A_PROJECT
    ),
    (ownership.RULE, (resource(kinds.NETWORK, tenantId="p-elsewhere"),), "the project of Pulumi's own user"),
    (ownership.RULE, (HEALTH, resource(kinds.VOLUME, projectId=UNKNOWN)), "would belong to Pulumi's own user"),
    (ownership.RULE, made_by([], [HEALTH], kinds.CONTAINER), "Pulumi's own user"),
    (ownership.RULE, made_by([USER], [], kinds.SERVER_GROUP), "Pulumi's own user"),
    (quota_coverage.RULE, (HEALTH,), "no compute and no block storage and no network quota"),
    (quota_coverage.RULE, (HEALTH, BUSES, *QUOTAS), "no compute"),
    (quota_coverage.RULE, (project(stack=FOUNDATION),), "no compute"),
]

HOLDING: list[tuple[StackRule, tuple[Resource, ...]]] = [
    (filter_peers.RULE, filtered(HEALTH, remoteIpPrefix="10.203.0.128/25")),
    (filter_peers.RULE, filtered(HEALTH, remoteIpPrefix="10.203.0.0/24", remoteGroupId="")),
    (filter_peers.RULE, filtered(HEALTH, remoteIpPrefix="169.254.169.254/32")),
    (filter_peers.RULE, filtered(HEALTH, ranges=[OURS], remoteIpPrefix=UNKNOWN, beside=[LOWER])),
    (filter_peers.RULE, filtered(HEALTH, ranges=[OURS], remoteIpPrefix="10.160.0.0/26", beside=[LOWER])),
    (filter_peers.RULE, filtered(HEALTH, remoteIpPrefix="10.160.0.0/20", beside=[OURS])),
    (
        filter_peers.RULE,
        filtered(HEALTH, remoteIpPrefix="10.77.0.0/24", beside=[subnet(HEALTH, "old", "10.77.0.0/24")]),
    ),
    (
        filter_peers.RULE,
        filtered(HEALTH, remoteIpPrefix="10.160.0.0/20", beside=[OURS, subnet(BUSES, "bus", "10.77.0.0/24")]),
    ),
    (filter_peers.RULE, filtered(BUSES, remoteIpPrefix="10.160.0.0/20")),
    (filter_peers.RULE, filtered(BUSES)),
    (flavor_access.RULE, (LEVELS, HEALTH, access(HEALTH, flavorId="id-confidential"))),
    (flavor_access.RULE, (LEVELS, BUSES, access(BUSES, flavorId="id-open"))),
    (flavor_access.RULE, (LEVELS, HEALTH, access(HEALTH, flavorId="id-secret"))),
    (volume_type_access.RULE, (LEVELS, HEALTH, volume_type(HEALTH, volumeTypeId="id-secret"))),
    (gateways.RULE, (LEVELS, HEALTH, router(HEALTH, "id-confidential"), resource(kinds.ROUTER, "inner"))),
    (network_sharing.RULE, (LEVELS, HEALTH, NETWORK, shared(NETWORK, "id-secret"))),
    (network_sharing.RULE, (LEVELS, BUSES, OPEN_NETWORK, shared(OPEN_NETWORK, "*"))),
    (network_sharing.RULE, (HEALTH, NETWORK, shared(NETWORK, UNKNOWN, action="access_as_external", to=[HEALTH]))),
    (image_sharing.RULE, (resource(kinds.IMAGE, visibility="public", tags=["classification:open"]), IMAGE)),
    (
        image_sharing.RULE,
        (LEVELS, IMAGE, resource(kinds.IMAGE_ACCESS, memberId="id-secret", refer={"imageId": IMAGE})),
    ),
    (container_sharing.RULE, (container("open", ".r:*,.rlistings"),)),
    (container_sharing.RULE, (LEVELS, HEALTH, container("internal", "id-internal:*,p-health:*"))),
    (container_sharing.RULE, (container("secret"),)),
    (world_rules.RULE, world_rule(BUSES)),
    *(
        (world_rules.RULE, world_rule(HEALTH, prefix))
        for prefix in ("10.0.0.0/8", "fc00::/7", "203.0.0.0/16", "2001:db8::/32", "169.254.169.254/32")
    ),
    (world_rules.RULE, world_rule(HEALTH, "10.0.0.0/8", direction="egress")),
    (world_rules.RULE, world_rule(BUSES, None, direction="egress")),
    (world_rules.RULE, world_rule(HEALTH, None, direction="egress", stack=FOUNDATION)),
    (image_use.RULE, from_image(HEALTH, kinds.VOLUME, imageId="id-open")),
    (image_use.RULE, from_image(HEALTH, kinds.INSTANCE, imageId="id-confidential")),
    (
        image_use.RULE,
        from_image(HEALTH, kinds.INSTANCE, blockDevices=[{"sourceType": "volume", "uuid": "id-secret"}]),
    ),
    (world_rules.RULE, (resource(kinds.ADDRESS_GROUP, addresses=["203.0.113.0/24"]),)),
    (admin_role.RULE, (LEVELS, assigned("r-member", userId="u"))),
    (admin_role.RULE, (LEVELS, OPERATORS, assigned("r-admin", stack=FOUNDATION, to=[OPERATORS], groupId=UNKNOWN))),
    (known_kinds.RULE, (HEALTH, NETWORK, LEVELS, resource(kinds.QOS_POLICY, stack=FOUNDATION))),
    (ownership.RULE, made_by([USER], [HEALTH], kinds.CONTAINER)),
    (ownership.RULE, made_by([USER], [HEALTH], kinds.VOLUME)),
    (ownership.RULE, (HEALTH, NETWORK, router(HEALTH, "n"))),
    (ownership.RULE, (resource(kinds.NETWORK, stack=FOUNDATION),)),
    (ownership.RULE, (resource(kinds.SERVER_GROUP, stack=FOUNDATION),)),
    (quota_coverage.RULE, (HEALTH, *QUOTAS)),
    (quota_coverage.RULE, (project(stack=FOUNDATION, isDomain=True),)),
]


@pytest.mark.parametrize(("rule", "declared", "word"), BROKEN)
def test_a_rule_refuses_what_breaks_it_and_names_it(rule: StackRule, declared: tuple[Resource, ...], word: str) -> None:
    assert [what for what in broken(rule, *declared) if word in what], broken(rule, *declared)


@pytest.mark.parametrize(("rule", "declared"), HOLDING)
def test_a_rule_lets_the_nearest_lawful_thing_pass(rule: StackRule, declared: tuple[Resource, ...]) -> None:
    assert broken(rule, *declared) == []


def test_every_rule_of_a_stack_is_broken_and_held_by_an_example() -> None:
    def named(rules: Iterable[StackRule]) -> set[str]:
        return {rule.name for rule in rules}

    every_rule = named(every.STACK_RULES)
    assert every_rule == named(rule for rule, _, _ in BROKEN) == named(rule for rule, _ in HOLDING)


def test_a_network_tagged_below_its_project_counts_as_its_projects_level() -> None:
    disguised = resource(kinds.NETWORK, tenantId=UNKNOWN, tags=["classification:open"], refer={"tenantId": HEALTH})
    assert broken(network_sharing.RULE, LEVELS, HEALTH, disguised, shared(disguised, "*"))


def test_a_program_cannot_lift_a_declared_projects_level_by_naming_its_id() -> None:
    lied = meanings({"p-buses": "secret"})
    assert broken(container_sharing.RULE, lied, BUSES, container("secret", "p-buses:*"))


@pytest.mark.parametrize(
    "unknown",
    [
        resource(kinds.INSTANCE, stack=FOUNDATION, schedulerHints=UNKNOWN, blockDevices=UNKNOWN),
        resource(kinds.PORT, binding=UNKNOWN, allowedAddressPairs=UNKNOWN),
        resource(kinds.PROJECT, tags=UNKNOWN),
        resource(kinds.FLAVOR, extraSpecs=UNKNOWN, isPublic=False),
        resource(kinds.CONTAINER, metadata=UNKNOWN, containerRead=UNKNOWN),
        resource(kinds.ADDRESS_GROUP, addresses=UNKNOWN),
        resource(kinds.VOLUME_QUOTA, volumeTypeQuota=UNKNOWN),
        resource(kinds.APPLICATION_CREDENTIAL, roles=[UNKNOWN], expiresAt=UNKNOWN),
    ],
    ids=lambda each: each.kind,
)
def test_no_rule_stumbles_over_what_is_not_known_yet(unknown: Resource) -> None:
    assert all(what for rule in (*every.RESOURCE_RULES, *every.STACK_RULES) for what in broken(rule, unknown))
