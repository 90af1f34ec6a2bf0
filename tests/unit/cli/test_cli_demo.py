from io import StringIO
from typing import Any

from rich.console import Console

from controller.cli.demo import problems, report, screen, site, verdict, watch
from controller.twin import scenario

FOUND = problems.of_scenario(scenario.load(site.SCENARIO))
KEYS = [problem.key for problem in FOUND]
OVER = {"feed:feed-1a": (9750.0, 9600.0, "W"), "cpu:cmp0046": (0.92, 0.8, "ratio")}
WELL = {"feed:feed-1a": (9520.0, 9600.0, "W"), "cpu:cmp0046": (0.62, 0.8, "ratio")}


def _truth(limits: dict[str, tuple[float, float, str]], vms: int, broken: list[str]) -> dict[str, Any]:
    rows = [{"key": key, "load": load, "limit": limit, "unit": unit} for key, (load, limit, unit) in limits.items()]
    return {"limits": rows, "hosts": [{"name": "cmp0028", "vms": vms}], "broken": broken}


def _move(n: int, state: str = "succeeded", why: str = "done") -> dict[str, Any]:
    intent = {"id": f"p1-{n}", "server_name": f"web-{n}", "source": "cmp0028", "target": "cmp0030", "why": "it must"}
    return {"intent": intent, "state": state, "outcome": {"why": why, "seconds": 4.0, "copied_bytes": 2**30}}


def _plan() -> dict[str, Any]:
    moves = [
        {"n": n, "wave": n, "breach": key, "why": f"{key} is over: web-{n} goes", "alternative": None}
        for n, key in enumerate(KEYS, start=1)
    ]
    before = [{"key": key, "amount": 1.0, "why": f"{key} is over"} for key in KEYS]
    return {"id": "p1", "moves": moves, "breaches_before": before}


def _status(breaches: dict[str, int], limits: dict[str, tuple[float, float, str]]) -> dict[str, Any]:
    rows = [{"key": key, "before": load, "unread": 0.0} for key, (load, _, _) in limits.items()]
    return {"sentence": "I looked.", "running": [], "plan": {"breaches": breaches, "limits": rows}}


def _cured() -> watch.Story:
    """Everything found at one look and cured at the next."""
    first = _truth(OVER, 7, list(KEYS))
    story = watch.Story(first=first, truth=first)
    story.add(first, _status({"feed": 2, "cpu": 1, "health": 1}, OVER), _plan(), [])
    story.add(_truth(WELL, 0, []), _status({}, WELL), _plan(), [_move(1), _move(2), _move(3)])
    return story


def _drawn(*parts: Any) -> str:
    console = Console(file=StringIO(), width=100, highlight=False)
    console.print(*parts, sep="\n")
    drawn = console.file
    assert isinstance(drawn, StringIO)
    return drawn.getvalue()


def test_the_scenario_holds_a_feed_a_failing_host_and_a_noisy_neighbour() -> None:
    assert sorted(problem.kind for problem in FOUND) == ["cpu", "feed", "health"]


def test_a_feed_is_not_cured_while_some_of_its_hosts_are_not_read() -> None:
    story = _cured()
    assert story.status is not None and verdict.cured(story, FOUND)
    feed = next(limit for limit in story.status["plan"]["limits"] if limit["key"].startswith("feed:"))
    feed["unread"] = 400.0
    assert not verdict.cured(story, FOUND)


def test_all_found_and_cured_lacks_nothing() -> None:
    story = _cured()
    assert verdict.missing(story, FOUND) == ()
    assert verdict.cured(story, FOUND)
    assert all(row.cured and row.moves == 1 for row in verdict.rows(story, FOUND))


def test_a_problem_that_the_daemon_never_found_is_missing_though_it_is_gone() -> None:
    story = _cured()
    del story.breaches["cpu:cmp0046"]
    assert verdict.missing(story, FOUND) == ("cmp0046 has a noisy neighbour: the daemon did not find it",)
    assert not verdict.cured(story, FOUND)


def test_a_problem_that_the_truth_still_shows_is_missing_though_the_daemon_is_content() -> None:
    story = _cured()
    story.add(_truth(WELL, 1, ["health:cmp0028"]), _status({}, WELL), None, story.moves)
    said = " ".join(verdict.missing(story, FOUND))
    assert "failing memory: not cured by the twin's truth" in said and "broken at the end" in said


def test_a_problem_that_the_daemon_still_sees_is_missing_though_the_truth_is_well() -> None:
    story = _cured()
    story.add(story.truth, _status({"feed": 1}, WELL), None, story.moves)
    assert "not cured by the daemon's newest plan" in " ".join(verdict.missing(story, FOUND))
    assert not verdict.cured(story, FOUND)


def test_a_problem_that_was_none_at_the_start_proves_nothing() -> None:
    first = _truth(WELL, 7, [])
    story = watch.Story(first=first, truth=first)
    story.add(first, _status({}, WELL), _plan(), [_move(1)])
    assert any("not so by the twin's truth" in lack for lack in verdict.missing(story, FOUND))


def test_a_rule_broken_on_the_way_is_told_though_it_holds_at_the_end() -> None:
    story = _cured()
    story.add(_truth(WELL, 0, ["clearance:vm-1"]), _status({}, WELL), None, story.moves)
    story.add(_truth(WELL, 0, []), _status({}, WELL), None, story.moves)
    assert verdict.missing(story, FOUND) == ("broken on the way by the twin's truth: clearance:vm-1",)
    assert "rules broken 1" in _drawn(report.counts(story))


def test_a_move_that_failed_is_told_with_its_reason() -> None:
    story = _cured()
    story.moves.append(_move(4, "failed", "it stalled"))
    assert verdict.missing(story, FOUND) == ("the move of web-4 is failed: it stalled",)
    assert "moves failed 1" in _drawn(report.counts(story))


def test_nothing_is_cured_while_a_move_is_under_way() -> None:
    story = _cured()
    story.moves.append(_move(4, "running"))
    assert not verdict.cured(story, FOUND)


def test_the_table_shows_the_truth_and_the_daemons_numbers_before_and_after() -> None:
    drawn = _drawn(*report.report(_cured(), FOUND))
    for cell in ("9,750 W", "9,520 W", "92.0%", "62.0%", "7 VMs", "0 VMs", "yes"):
        assert cell in drawn
    assert "rules broken 0, moves failed 0, VMs moved live 3" in drawn


def test_each_thing_is_told_once_in_plain_lines_where_there_is_no_terminal() -> None:
    console = Console(file=StringIO(), width=80, highlight=False)
    view = screen.Screen(console, FOUND)
    with view.live():
        view.show(_cured())
        view.show(_cured())
    drawn = console.file
    assert isinstance(drawn, StringIO)
    lines = [line[6:13].strip() for line in drawn.getvalue().splitlines()]
    assert [lines.count(word) for word in ("FOUND", "PLAN", "WHY", "MOVED", "CURED")] == [3, 1, 3, 3, 3]


def test_the_settings_keep_what_the_twin_hands_over_and_turn_auto() -> None:
    made = site.settings({"version": 1, "snmp": {"credentials": {"bmc-v3": {}}}}, 4711)
    assert made["snmp"] == {"credentials": {"bmc-v3": {}}, "interval": "5s"}
    assert made["http"] == {"port": 4711} and made["policy"]["mode"] == "auto"
