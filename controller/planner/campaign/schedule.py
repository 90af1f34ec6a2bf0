"""A campaign's waves, and the fewest that its limits allow.

A wave's hosts are of one fault domain, at most `hosts_at_once`, and cost no group more than its rule (`exposure`).
Canaries make waves of their own, first. Within a domain a host joins the first wave that has room for it: those that
carry most of a crowded group first, since they fit together worst.
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from controller.model import campaign as words
from controller.model.ids import HostName
from controller.planner.campaign.exposure import Budget, Exposure

Wave = tuple[HostName, ...]


def waves(members: Sequence[words.Member], limits: words.Limits, exposed: Exposure) -> tuple[Wave, ...]:
    """All waves of these hosts, in order."""
    found: list[Wave] = []
    for _, together in groupby(sorted(members, key=_turn), key=_turn):
        found += _of_domain([member.host for member in together], limits.hosts_at_once, exposed)
    return tuple(found)


def fewest(members: Sequence[words.Member], limits: words.Limits, exposed: Exposure | None = None) -> int:
    """No schedule within the limits has fewer waves: `sum over domains of ceil(hosts / hosts_at_once)`.

    With `exposed` also no fewer than each group's members in a domain need: `ceil(members / allowed)`.
    """
    total = 0
    for _, together in groupby(sorted(members, key=_turn), key=_turn):
        hosts = [member.host for member in together]
        least = math.ceil(len(hosts) / limits.hosts_at_once)
        if exposed is not None:
            carried: Counter[int] = Counter()
            for host in hosts:
                carried.update(exposed.of(host))
            least = max([least, *(math.ceil(count / exposed.allowed[number]) for number, count in carried.items())])
        total += least
    return total


def _turn(member: words.Member) -> tuple[bool, str]:
    return not member.canary, member.domain


def _of_domain(hosts: list[HostName], at_once: int, exposed: Exposure) -> list[Wave]:
    crowd: Counter[int] = Counter()
    for host in hosts:
        crowd.update(exposed.of(host))
    worst = {
        host: max((crowd[number] / exposed.allowed[number] for number in exposed.of(host)), default=0.0)
        for host in hosts
    }
    made: list[tuple[list[HostName], Budget]] = []
    for host in sorted(hosts, key=lambda host: (-worst[host], host)):
        for wave, budget in made:
            if len(wave) < at_once and budget.refuses(host) is None:
                break
        else:
            wave, budget = [], Budget(exposed)
            made.append((wave, budget))
        wave.append(host)
        budget.take(host)
    return [tuple(sorted(wave)) for wave, _ in made]
