"""The table that lives on a terminal while `gdcc host` works, and the lines that are told elsewhere."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from controller.cli.host.screen import Screen, summary
from controller.engine.host_work.order import Ended, Outcome
from controller.model.host_run import HostStep
from controller.model.ids import HostName
from controller.model.playbook import Change, HostResult, TaskEvent, TaskStatus

C1, C2, C3 = HOSTS = tuple(HostName(f"c{n}") for n in (1, 2, 3))
AT = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


def console(*, terminal: bool, width: int = 100) -> Console:
    """One that records what it shows; cursor and colours are left to Rich."""
    return Console(file=io.StringIO(), force_terminal=terminal, width=width, height=60, color_system=None, record=True)


def event(host: HostName, task: str, status: TaskStatus) -> TaskEvent:
    return TaskEvent(host=host, task=task, status=status, at=AT)


def drawn(screen: Screen, on: Console) -> list[str]:
    """The table as it is at this instant, row by row with single blanks; its title first."""
    on.export_text()
    on.print(screen.table())
    return lines(on)


def lines(on: Console) -> list[str]:
    return [" ".join(line.split()) for line in on.export_text().splitlines() if line.strip() and "─" not in line]


def test_the_table_shows_each_host_with_its_step_task_and_changes_as_they_go_on() -> None:
    on = console(terminal=True)
    screen = Screen(HOSTS, on)
    assert drawn(screen, on)[0] == "3 hosts, 0 ended"
    assert drawn(screen, on)[1:] == [
        "host step changed task",
        *("c1 waits 0", "c2 waits 0", "c3 waits 0"),
    ]

    screen.step((C1, C2), HostStep.PLAY)
    screen.task(event(C1, "ssh : Configure sshd", TaskStatus.STARTED))
    screen.task(event(C1, "ssh : Configure sshd", TaskStatus.CHANGED))
    screen.task(event(C1, "time : Configure chrony", TaskStatus.CHANGED))
    screen.task(event(C1, "time : Start chrony", TaskStatus.OK))
    screen.waits(C2, "everything is paused by op: storm")
    assert drawn(screen, on)[2:] == [
        "c1 play 2 time : Start chrony",
        "c2 play 0 everything is paused by op: storm",
        "c3 waits 0",
    ]

    screen.step((C1,), HostStep.VERIFY)
    assert drawn(screen, on)[2] == "c1 verify 2", "the task of the step before stays"


def test_a_host_that_is_done_leaves_the_table_and_one_that_is_not_stays_with_why() -> None:
    on = console(terminal=True)
    screen = Screen(HOSTS, on)
    screen.ended(Outcome(host=C1, ended=Ended.DONE, said="c1: changed 2"))
    screen.ended(Outcome(host=C2, ended=Ended.FAILED, said="c2: verify failed: declared 9000, found 1500"))
    screen.ended(Outcome(host=C3, ended=Ended.BROKEN_OFF, said="c3: play is not done"))
    title, _, *rows = drawn(screen, on)
    assert title == "3 hosts, 3 ended"
    assert rows == [
        "c2 failed 0 c2: verify failed: declared 9000, found 1500",
        "c3 broken off 0 c3: play is not done",
    ]


def test_of_very_many_hosts_the_first_that_are_not_done_are_shown_and_all_counted() -> None:
    many = tuple(HostName(f"h{n:04}") for n in range(5000))
    on = console(terminal=True)
    screen = Screen(many, on)
    for host in many[:100]:
        screen.ended(Outcome(host=host, ended=Ended.DONE, said=""))
    title, _, *rows = drawn(screen, on)
    assert title == "5000 hosts, 100 ended"
    assert rows == [f"{host} waits 0" for host in many[100:140]]


def test_what_hosts_say_is_no_markup_and_a_long_task_is_shown_whole() -> None:
    on = console(terminal=True, width=60)
    screen = Screen((C1,), on)
    said = "Prove [bold]it[/bold] " + "and say so " * 10
    screen.waits(C1, said)
    assert " ".join(drawn(screen, on)[2:]) == f"c1 waits 0 {said.strip()}"


def test_the_live_table_is_drawn_on_the_terminal_and_gone_at_the_end() -> None:
    on = console(terminal=True)
    with Screen((C1,), on) as screen:
        screen.step((C1,), HostStep.DRAIN)
    assert isinstance(on.file, io.StringIO)
    shown = on.file.getvalue()
    assert "1 hosts, 0 ended" in shown and "drain" in shown
    assert shown.rstrip().endswith("\x1b[2K"), "what is drawn is wiped, and the summary follows"


@pytest.mark.parametrize("quiet", [False, True])
def test_elsewhere_each_step_and_change_is_a_line_and_nothing_where_it_is_quiet(quiet: bool) -> None:
    on = console(terminal=False)
    with Screen(HOSTS, on, quiet=quiet) as screen:
        screen.step((C1, C2), HostStep.PLAY)
        for status in TaskStatus:
            screen.task(event(C1, f"ssh : [task] {status}", status))
        screen.waits(C2, "it is paused")
    assert on.export_text().splitlines() == (
        []
        if quiet
        else [
            "c1, c2: play",
            "c1: changed: ssh : [task] changed",
            "c1: failed: ssh : [task] failed",
            "c1: unreachable: ssh : [task] unreachable",
            "c2: it is paused",
        ]
    )


def test_the_summary_tells_each_host_how_it_ended() -> None:
    on = console(terminal=False)
    changed = HostResult(host=C1, ended=True, ok=5, changes=(Change(task="a"), Change(task="b")))
    outcomes = (
        Outcome(host=C1, ended=Ended.DONE, said="c1: changed 2", results=(changed,)),
        Outcome(host=C2, ended=Ended.NOT_BEGUN, said="not begun, since a host before it failed"),
    )
    on.print(summary(outcomes))
    assert lines(on) == [
        "host ended changed says",
        "c1 done 2 changed 2",
        "c2 not begun 0 not begun, since a host before it failed",
    ]
