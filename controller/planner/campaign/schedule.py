"""The hosts of a campaign's next wave, and the fewest waves that its limits allow.

A wave's hosts are of one fault domain, at most `hosts_at_once`, and cost no group more than its rule (`exposure`).
Those that carry most of a crowded group go first, since they fit together worst.
"""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import groupby

from controller.model import campaign as words
from controller.model.ids import HostName
from controller.planner.campaign.exposure import Budget, Exposure

Wave = tuple[HostName, ...]


def wave(hosts: Sequence[HostName], places: int, exposed: Exposure, taken: Collection[HostName] = ()) -> Wave:
    """Of one domain's hosts those that go next beside the `taken` ones, the worst first; () where none may."""
    budget, found = Budget(exposed, taken), list[HostName]()
    for host in _worst_first(hosts, exposed):
        if len(found) < places and budget.refuses(host) is None:
            found.append(host)
            budget.take(host)
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


def _worst_first(hosts: Sequence[HostName], exposed: Exposure) -> list[HostName]:
    crowd: Counter[int] = Counter()
    for host in hosts:
        crowd.update(exposed.of(host))
    worst = {
        host: max((crowd[number] / exposed.allowed[number] for number in exposed.of(host)), default=0.0)
        for host in hosts
    }
    return sorted(hosts, key=lambda host: (-worst[host], host))
