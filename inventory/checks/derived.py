"""Names that are made of two: unlike systems and roles, or groups and roles, may together make one name."""

from collections.abc import Iterator

from inventory.checks.case import Case
from inventory.model import Problem


def check(case: Case) -> Iterator[Problem]:
    """Problems of VMs, server groups and operators' roles of one name."""
    yield from _vm_sets(case)
    yield from _operators(case)


def _vm_sets(case: Case) -> Iterator[Problem]:
    """A VM set's VMs and server group are called `SYSTEM-ROLE`; a stack finds those of a former name by that too."""
    owners: dict[str, tuple[str, str]] = {}
    for system in case.estate.systems.values():
        for role in dict.fromkeys(each.role for each in system.vm_sets):
            for name in dict.fromkeys(f"{each}-{role}" for each in (system.name, *system.formerly)):
                other = owners.setdefault(name, (system.name, role))
                if other != (system.name, role):
                    what = f"its {role} VMs are {name}, as are the {other[1]} VMs of system {other[0]} (rename one)"
                    yield case.problem("systems", system.name, what, "vm_sets")


def _operators(case: Case) -> Iterator[Problem]:
    owners: dict[str, tuple[str, str]] = {}
    for group in case.estate.operators.values():
        if len(set(group.roles)) < len(group.roles):
            yield case.problem("operators", group.name, "names a role twice (keep one)", "roles")
        for role in group.roles:
            other = owners.setdefault(f"{group.name}-{role}", (group.name, role))
            if other != (group.name, role):
                what = f"its role {role} is assigned as {group.name}-{role}, as is role {other[1]} of {other[0]}"
                yield case.problem("operators", group.name, f"{what} (rename one of the groups)", "roles")
