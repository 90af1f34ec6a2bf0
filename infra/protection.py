"""What Pulumi's engine itself refuses to delete or replace: all of the protected kinds, whoever starts the run.

A policy pack sees what a stack will hold, never what it loses; the engine sees both. So each stack marks what it
declares, in one place for all programs, and a named exception takes the mark off until its last day.
"""

import copy
from collections.abc import Iterable
from datetime import date

import pulumi

from infra.policy import exceptions, kinds
from infra.policy.declared import kind_of, resource_name


def of_stack(keep: bool, allowed: Iterable[exceptions.Named], today: date) -> pulumi.ResourceTransformation:
    """Marks every resource of a protected kind as kept, or as not: where not `keep`, or where an exception names it."""
    let_go = frozenset(each.resource for each in allowed if each.rule == exceptions.PROTECTED and today <= each.until)
    by_urn = frozenset((kind_of(each), resource_name(each)) for each in let_go if each.startswith("urn:"))

    def marked(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.type_ not in kinds.PROTECTED:
            return None
        opts = copy.copy(args.opts)
        opts.protect = keep and args.name not in let_go and (args.type_, args.name) not in by_urn
        return pulumi.ResourceTransformationResult(props=args.props, opts=opts)

    return marked
