"""Which servers a drain cannot move, and who must do what about each. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controller.model.cloud import LIVE_STATUSES, Migration, Server, Service
from controller.model.ids import HostName, ServerId
from controller.model.operation import Drain, DrainState, Holdout
from controller.model.plan import Hold

_OWNER = "the project's owner"
_OPERATOR = "a cloud operator"

_STATES: Mapping[str, tuple[str, str]] = {
    "VERIFY_RESIZE": ("waits for its resize to be confirmed or reverted", f"{_OWNER}: confirm or revert the resize"),
    "SUSPENDED": ("is suspended, and Nova migrates no suspended server live", f"{_OWNER}: resume it"),
    "RESCUE": ("is in rescue mode", f"{_OWNER}: unrescue it"),
    "ERROR": ("is in ERROR", f"{_OPERATOR}: find out why and repair it"),
    "SHELVED": ("is shelved and its disk is still here", f"{_OWNER}: unshelve it, or an operator: offload it"),
    "SHELVED_OFFLOADED": ("is shelved and still booked here", f"{_OPERATOR}: look why Nova books it here"),
    "SOFT_DELETED": ("is deleted and not yet reclaimed", f"{_OPERATOR}: wait for the reclaim, or force the delete"),
    "BUILD": ("is being built", "nobody yet: Nova ends it; if it does not, a cloud operator"),
}

_OFF = frozenset({"SHUTOFF", "SOFT_DELETED"})
"""Statuses of servers of which nothing runs, so that a reboot of their host does not touch them."""

_PASSING = frozenset(
    {"at-once", "out-of-host", "into-host", "across-rack", "agency-budget", "system-budget", "hour-budget"}
    | {"agency-hour-budget", "system-hour-budget", "max-moves", "order", "migrating", "busy", "gain"}
)
"""The planner's rules that give way by themselves."""


_WHO: Mapping[str, str] = {
    "window": f"nobody, if it may wait for its window; else {_OWNER}: allow it now",
    "on-battery": "nobody, if it may wait for the mains; else the site's electricians",
    "withheld": "whoever paused it or holds it by a mode: gdcc resume, or policy.scope_modes",
    "unread-health": "the hardware's on-call: have the BMCs of the other hosts answer",
}
"""Who must act where the planner's rule gives way by somebody's hand; for the others room is lacking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """What is on a host under drain, as Nova shows it.

    `servers` are those it hosts, `resized` those that left it by a resize which may still be reverted onto it,
    `leaving` and `arriving` those whose migration off or onto it runs. `service` is its nova-compute.
    """

    service: Service
    servers: tuple[Server, ...]
    resized: tuple[Server, ...]
    leaving: frozenset[ServerId]
    arriving: frozenset[ServerId]

    @property
    def up(self) -> bool:
        return self.service.up and not self.service.forced_down


def flights_of(
    host: HostName, running: Iterable[Migration], ours: frozenset[ServerId]
) -> tuple[frozenset[ServerId], frozenset[ServerId], frozenset[ServerId]]:
    """Servers that are leaving, arriving, and resized away with the way back open (ours excepted: we confirm those)."""
    records = tuple(running)
    ended = {r.server_id for r in records if r.source == host and r.status == "finished" and r.server_id not in ours}
    leaving = {record.server_id for record in records if record.source == host} - ended
    arriving = {record.server_id for record in records if record.target == host and record.status != "finished"}
    return frozenset(leaving), frozenset(arriving), frozenset(ended)


def holdouts(remains: Remains, *, keep_shutoff: bool = False) -> tuple[Holdout, ...]:
    """Every server that no drain can move as things stand and that may not stay, sorted by name."""
    found = [
        _holdout(remains, server)
        for server in remains.servers
        if not (keep_shutoff and remains.up and server.status == "SOFT_DELETED" and server.task_state is None)
    ]
    found += [_waiting_elsewhere(server) for server in remains.resized]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: (one.server_name, one.server_id)))


def movable(drain: Drain, remains: Remains) -> frozenset[ServerId]:
    """Servers that can leave now and have not begun to."""
    held = {one.server_id for one in holdouts(remains)}
    kept = {server.id for server in remains.servers if drain.keep_shutoff and server.status in _OFF}
    return frozenset(server.id for server in remains.servers) - held - kept - remains.leaving


def state(drain: Drain, remains: Remains, held: tuple[Holdout, ...]) -> DrainState:
    """STUCK as soon as somebody else must act, EMPTY only when nothing is left that may not stay."""
    if held:
        return DrainState.STUCK
    left = movable(drain, remains) or remains.leaving or remains.arriving
    return DrainState.EMPTYING if left else DrainState.EMPTY


def unplaced(holds: Iterable[Hold], servers: Iterable[Server], can_move: frozenset[ServerId]) -> tuple[Holdout, ...]:
    """Servers that could move and for which the planner has no target that is not only taken for the moment."""
    by_id = {server.id: server for server in servers}
    found = []
    for hold in holds:
        if hold.vm is not None and hold.vm in can_move and hold.vm in by_id and hold.rule not in _PASSING:
            found.append(_of(by_id[hold.vm], hold.why, _WHO.get(hold.rule, f"{_OPERATOR}: make room on another host")))
    return tuple(found)


def _holdout(remains: Remains, server: Server) -> Holdout | None:
    if not remains.up:
        who = "the hardware's on-call: bring the host back, or prove it dead before anything is started elsewhere"
        return _of(server, f"nova-compute on {remains.service.host} is down, so nothing can leave it", who)
    if server.id in remains.leaving:
        return None
    if server.status in _STATES:
        return _of(server, *_STATES[server.status])
    if server.task_state is not None:
        who = f"nobody yet: it ends by itself; if it does not, {_OPERATOR}"
        return _of(server, f"has the task {server.task_state} under way", who)
    if server.status in LIVE_STATUSES or server.status == "SHUTOFF":
        return None
    return _of(server, f"is {server.status}, from which Nova migrates nothing", f"{_OPERATOR}: bring it to ACTIVE")


def _waiting_elsewhere(server: Server) -> Holdout:
    why, who = _STATES["VERIFY_RESIZE"]
    return _of(server, f"{why}; it is on {server.host} now, and a revert would bring it back here", who)


def _of(server: Server, why: str, who: str) -> Holdout:
    return Holdout(server_id=server.id, server_name=server.name, status=server.status, why=why, who_must_act=who)
