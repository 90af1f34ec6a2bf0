"""The planner's one door: a snapshot, a policy and the time go in; a plan that was checked comes out."""

import functools
import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from controller import errors
from controller.model import cluster as model
from controller.model import plan as words
from controller.model.ids import HostName, PlanId
from controller.model.policy import Mode, Policy
from controller.planner import (
    alternative,
    check,
    classify,
    copies,
    describe,
    freed,
    holds,
    limits,
    makespan,
    score,
    search,
    situation,
    waves,
    whim,
)
from controller.planner.budget import Ledger
from controller.planner.choice import Choice
from controller.planner.load import Load
from controller.planner.prepared import Prepared

LONGEST = timedelta(days=365)
GIB = 2.0**30


def plan(
    cluster: model.Cluster,
    policy: Policy,
    now: datetime,
    *,
    only: Collection[HostName] | None = None,
    cold: Collection[HostName] = (),
    before: Prepared | None = None,
) -> words.Plan:
    """What to move, in which waves, and why.

    `only`: plan nothing but the drains of these hosts (none: no moves at all); None plans everything that policy and
    freeze allow. `cold`: draining hosts whose SHUTOFF servers are to be moved cold. Rows of `cluster` may come in any
    order. `before`: an earlier snapshot's tables (`Situation.prepared`), which save work and change no plan.

    Raises `InputError` for a snapshot that holds a name twice or a host that is not draining, `InvariantError` if the
    plan found does not pass the independent checker; then nothing may be moved.
    """
    facts = situation.of_cluster(cluster, policy, now, only=only, cold=cold, before=before)
    begun = search.choices(facts)
    best = proved(facts, begun, cluster, policy, now)
    several = policy.search_rounds if policy.mode is Mode.AUTO and only is None and facts.own_moves else 1
    for number in range(1, several):
        if not score.unmended(best):
            break
        found = search.choices(facts, prefers=whim.of_round(number), best=begun.choices)
        made = better(facts, found, best, cluster, now)
        best, begun = made or best, gone_on_from(begun, found, made)
    return best


def better(
    facts: situation.Situation,
    found: search.Found,
    best: words.Plan,
    cluster: model.Cluster,
    now: datetime,
    *,
    stop: Callable[[], bool] = search.never,
) -> words.Plan | None:
    """The plan of what another search of the same facts found, where it is better than the best so far.

    A search knows no waves, and a plan leaves out what finds none, so its plan may be worse than what it found. A plan
    that fails its check costs nothing but itself: the best so far is proved, and then says so.
    """
    if found.score >= best.score_after:
        return None
    prove = functools.partial(proved, facts, found, cluster, facts.policy, now, stop=stop)
    return _if_proved(prove, best, lambda made: earns(made, best, facts.policy))


def made_again(
    facts: situation.Situation,
    found: search.Found,
    best: words.Plan,
    cluster: model.Cluster,
    now: datetime,
    *,
    stop: Callable[[], bool] = search.never,
) -> words.Plan | None:
    """The plan of a first search that was cut short and has been made again whole, unless it leaves a worse score than
    the best so far. One that fails its check costs nothing but itself, as with `better`.
    """
    if found.score > best.score_after:
        return None
    prove = functools.partial(proved, facts, found, cluster, facts.policy, now, stop=stop)
    return _if_proved(prove, best, lambda made: made.score_after <= best.score_after)


def _if_proved(
    prove: Callable[[], words.Plan], best: words.Plan, serves: Callable[[words.Plan], bool]
) -> words.Plan | None:
    """The plan of what was found if it passes its check and serves; the best so far, which says so, if it does not
    pass, and None where that is said already or the plan does not serve.
    """
    try:
        made = prove()
    except errors.InvariantError as error:
        said = f"{best.sentence} A plan of another round was left out: {error}."
        return None if "of another round was left out" in best.sentence else replace(best, sentence=said)
    return made if serves(made) else None


def gone_on_from(begun: search.Found, found: search.Found, made: words.Plan | None) -> search.Found:
    """What the next round may reconsider: what was found now, if the best plan was made of it or it is as good as what
    was gone on from; what only a search holds for better, but found no waves or did not pay, leads nowhere.
    """
    return found if made is not None or found.score == begun.score else begun


def earns(made: words.Plan, best: words.Plan, policy: Policy) -> bool:
    """Whether it mends more; where it only evens more out, whether that pays for what it copies more for it; where it
    only frees more hosts, each of which pays for itself, that is enough.
    """
    uneven = policy.rank(words.Concern.UNEVEN)
    if made.score_after[:uneven] != best.score_after[:uneven] or made.score_after[uneven] == best.score_after[uneven]:
        return made.score_after < best.score_after
    more = _copied_to_mend(made) - _copied_to_mend(best)
    gain = best.score_after[uneven] - made.score_after[uneven]
    return gain > policy.limits.gain_per_gib * max(more, 0.0) / GIB


def _copied_to_mend(made: words.Plan) -> float:
    """What it copies for what is broken, hot or uneven."""
    return sum(move.copy_bytes for move in made.moves if move.concern is not words.Concern.CONSOLIDATION)


def proved(
    facts: situation.Situation,
    found: search.Found,
    cluster: model.Cluster,
    policy: Policy,
    now: datetime,
    *,
    stop: Callable[[], bool] = search.never,
) -> words.Plan:
    """The plan of what a search found, in waves, explained and checked; what is left is explained in brief where `stop`
    says so. Raises `InvariantError` as `plan` does.
    """
    made, waiting = waves.waves(facts, found.choices)
    kept = _worth_it(facts, made)
    if vain := _in_vain(facts, kept) | freed.in_vain(facts, kept):
        fewer = tuple(choice for choice in found.choices if choice.vm not in vain)
        return proved(facts, replace(found, choices=fewer), cluster, policy, now, stop=stop)
    whole = _assembled(facts, kept, {choice.vm for choice in waiting}, now, stopped=found.stopped, stop=stop)
    problems = check.problems(cluster, policy, whole)
    if problems:
        raise errors.InvariantError(
            f"a plan of {len(whole.moves)} moves failed its check and is not given out: {'; '.join(problems[:5])}",
            where=whole.id,
            remedy="keep the snapshot and report it; no move is made",
        )
    return whole


def _in_vain(facts: situation.Situation, made: tuple[waves.Wave, ...]) -> frozenset[int]:
    """VMs that would make room for one that does not come, or that comes before they have left."""
    coming = {(choice.vm, choice.target): number for number, wave in enumerate(made) for choice in wave}
    return frozenset(
        choice.vm
        for number, wave in enumerate(made)
        for choice in wave
        if choice.room_for is not None
        if coming.get((choice.room_for, int(facts.cluster.vms.host[choice.vm])), -1) <= number
    )


def _worth_it(facts: situation.Situation, made: tuple[waves.Wave, ...]) -> tuple[waves.Wave, ...]:
    """The waves up to the last one that leaves the best score: what comes after would make it worse."""
    load = Load(facts)
    best, keep = score.of_load(load), 0
    for number, wave in enumerate(made, start=1):
        for choice in wave:
            load.move(choice.vm, choice.target)
        if score.of_load(load) <= best:
            best, keep = score.of_load(load), number
    return made[:keep]


def _assembled(
    facts: situation.Situation,
    made: tuple[waves.Wave, ...],
    waiting: Collection[int],
    now: datetime,
    *,
    stopped: bool,
    stop: Callable[[], bool],
) -> words.Plan:
    before, after = Load(facts), Load(facts)
    ledger = Ledger(facts.cluster, facts.places, facts.policy.limits.max_moves)
    moves: list[words.Move] = []
    for number, wave in enumerate(made, start=1):
        for choice in wave:
            score_before = moves[-1].score_after if moves else score.of_load(after)
            moves.append(_move(after, choice, len(moves) + 1, number, score_before))
            ledger.spend(choice.vm)
    rows = [choice.vm for wave in made for choice in wave]
    was, left = classify.breaches(before), classify.breaches(after)
    held = holds.of_breaches(after, ledger, left, waiting, stopped=stopped, stop=stop)
    frees = freed.hosts(before, made)
    lasts = makespan.makespan(
        facts, made, {vm: move.copy.total_seconds() for vm, move in zip(rows, moves, strict=True)}
    )
    return words.Plan(
        id=_id(facts.cluster, moves, held),
        estate=facts.cluster.estate,
        snapshot_at=facts.cluster.taken_at,
        created_at=now,
        sentence=_frozen(facts.cluster) + _cut_short(stopped) + describe.plan(moves, was, left, held, frees),
        moves=tuple(moves),
        holds=held,
        objective=facts.policy.objective,
        breaches_before=was,
        breaches_after=left,
        limits=limits.states(before, after),
        score_before=score.of_load(before),
        score_after=score.of_load(after),
        takes=_duration(lasts.takes_s),
        takes_at_least=_duration(lasts.takes_at_least_s),
        waves_at_least=lasts.waves_at_least,
        frees=frees,
    )


def _move(load: Load, choice: Choice, n: int, wave: int, before: tuple[float, ...]) -> words.Move:
    """Describes a move and makes it."""
    cluster = load.situation.cluster
    cold = bool(cluster.vms.state[choice.vm] == model.VmState.SHUTOFF)
    taken = copies.estimate(load, choice.vm, choice.target)
    copy, blackout = _duration(taken.copy_s), _duration(taken.blackout_s)
    source = cluster.hosts.names[int(load.host[choice.vm])]
    why, other = describe.why(load, choice, copy, blackout, forced=taken.forced), alternative.of_choice(load, choice)
    load.move(choice.vm, choice.target)
    return words.Move(
        n=n,
        wave=wave,
        vm=cluster.vms.ids[choice.vm],
        vm_name=cluster.vms.names[choice.vm],
        source=source,
        target=cluster.hosts.names[choice.target],
        concern=choice.breach.concern,
        rule=choice.breach.rule,
        breach=choice.breach.key,
        why=why,
        score_before=before,
        score_after=score.of_load(load),
        copy_bytes=taken.sent_bytes,
        copy=copy,
        blackout_estimate=blackout,
        alternative=other,
        cold=cold,
        room_for=None if choice.room_for is None else cluster.vms.ids[choice.room_for],
        force_complete_after=load.situation.policy.migration.force_complete_after if taken.forced else None,
    )


def _duration(seconds: float) -> timedelta:
    return timedelta(seconds=min(seconds, LONGEST.total_seconds()))


def _id(cluster: model.Cluster, moves: Iterable[words.Move], held: Iterable[words.Hold]) -> PlanId:
    """The same content has the same id, whenever it was planned."""
    content = [cluster.estate, cluster.taken_at.isoformat()]
    content += [f"{m.wave} {m.n} {m.vm} {m.source} {m.target} {m.breach} {m.cold}" for m in moves]
    content += [f"{h.breach} {h.vm} {h.rule}" for h in held]
    return PlanId(hashlib.sha256("\n".join(content).encode()).hexdigest()[:12])


def _cut_short(stopped: bool) -> str:
    return "The search was stopped before its end. " if stopped else ""


def _frozen(cluster: model.Cluster) -> str:
    return f"Frozen ({cluster.freeze}), drains only. " if cluster.freeze else ""
