"""An explanation for people: the sentence, the numbers, what a move changes, what would undo it, what rules all out."""

from rich.table import Table
from rich.text import Text

from controller.cli.output import people
from controller.planner import terms
from controller.planner.conflict import Conflict
from controller.planner.explanation import Explanation
from controller.planner.terms import Term


def show(answer: Explanation) -> None:
    """Prints all of it. Names are tenants' own, so none is read as markup."""
    people.print(answer.sentence, style="bold", markup=False)
    for label, value in answer.numbers:
        _line(f"  {label}: {value}")
    if answer.terms:
        people.print(_terms(answer))
    if answer.unless:
        _line("what would have to be otherwise; any one of these is enough")
        for undone in answer.unless:
            _line(f"  it {undone.sentence}")
    if answer.alternative:
        other = answer.alternative
        _line(f"next best target: {other.host}, ruled out by {other.ruled_out_by}: {other.detail}")
    if answer.ruled_out:
        _line(f"hosts ruled out: {', '.join(f'{count} by {rule}' for rule, count in answer.ruled_out)}")
    _conflict(answer.conflict)
    for left in answer.left:
        _line(f"{left.breach} is left")
        for group in left.stuck:
            others = f" and {group.vms - len(group.names)} more" if group.vms > len(group.names) else ""
            _line(f"  {group.sentence}: {', '.join(group.names)}{others}")
        _conflict(left.conflict)


def _line(text: str) -> None:
    people.print(text, markup=False)


def _terms(answer: Explanation) -> Table:
    """The terms that change, the one that pays marked; lower is better."""
    table = Table("", "term", "before → after", "may be", "score", title="what it changes", title_justify="left")
    for term in answer.terms:
        pays = "pays" if term.key == answer.paid_by and term.after < term.before else ""
        between = f"{terms.amount(term.unit, term.amount_before)} → {terms.amount(term.unit, term.amount_after)}"
        score = f"{term.concern} {term.before:.4g} → {term.after:.4g}"
        table.add_row(*map(Text, (pays, term.what, between, _limit(term), score)))
    return table


def _limit(term: Term) -> str:
    limits = (terms.amount(term.unit, term.limit_before), terms.amount(term.unit, term.limit_after))
    return " → ".join(dict.fromkeys(limits))


def _conflict(conflict: Conflict | None) -> None:
    """Each rule of the set: what it rules out in all, what of it no rule before it does, where it stands alone."""
    if conflict is None:
        return
    of = "hosts" if conflict.vms == 1 else f"pairs of {conflict.vms} VMs with other hosts"
    _line(f"a minimal set of rules that leaves no target, over {conflict.pairs} {of}; none of them can be dropped")
    whom = "it" if conflict.vms == 1 else "one of them"
    for share in conflict.shares:
        rest = f", {share.rest} that none before it does" if share.rest < share.rules_out else ""
        where = f" in {', '.join(share.racks)}" if share.racks else ""
        alone = f"; nothing else keeps {whom} off {', '.join(share.alone)}" if share.alone else ""
        _line(f"  {share.rule} rules out {share.rules_out}{rest}{where}{alone}")
