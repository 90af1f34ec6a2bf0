"""What Ansible's events say of each host, and what a failure says in one line."""

from typing import Any

import pytest

from controller.adapters.ansible import diffs, said
from controller.adapters.ansible.tally import Tally
from controller.model.ids import HostName
from controller.model.playbook import TaskStatus

HOST = HostName("c1")


def event(kind: str, task: str = "Copy a file", **data: Any) -> dict[str, Any]:
    created = "2026-11-21T10:00:00+00:00"
    return {"event": kind, "created": created, "event_data": {"host": HOST, "task": task, **data}}


def stats(**data: Any) -> dict[str, Any]:
    return {"event": "playbook_on_stats", "event_data": {"processed": {HOST: 1}, **data}}


def tally(*events: dict[str, Any]) -> Tally:
    made = Tally([HOST], "site.yml")
    for each in events:
        made.take(each)
    return made


def test_a_host_that_came_to_the_end_succeeded_with_its_changes() -> None:
    diff = {"before": "a\n", "after": "b\n"}
    result = tally(event("runner_on_ok", role="ssh", res={"changed": True, "diff": diff}), stats()).results()[HOST]
    assert result.succeeded
    assert result.changes[0].task == "ssh : Copy a file"
    assert result.changes[0].diff.splitlines()[-2:] == ["-a", "+b"]


def test_a_failure_that_was_rescued_is_no_failure() -> None:
    result = tally(event("runner_on_failed", res={"msg": "no"}), event("runner_on_ok", "Mend it"), stats()).results()
    assert result[HOST].succeeded


def test_an_ignored_failure_is_no_failure() -> None:
    made = tally()
    seen = made.take(event("runner_on_failed", res={"msg": "no"}, ignore_errors=True))
    assert seen is not None
    assert seen.status is TaskStatus.OK


def test_a_host_that_another_hosts_failure_broke_off_has_not_ended() -> None:
    result = tally(event("runner_on_ok"), {"event": "playbook_on_no_hosts_remaining"}, stats()).results()[HOST]
    assert not result.ended
    assert not result.succeeded


def test_a_host_that_no_play_was_for_has_not_succeeded() -> None:
    result = tally({"event": "playbook_on_stats", "event_data": {"processed": {}}}).results()[HOST]
    assert not result.succeeded
    assert result.failure is not None
    assert result.failure.said == "no play of site.yml ran on this host"


def test_a_run_that_was_cut_short_leaves_its_hosts_not_ended() -> None:
    made = tally(event("runner_on_ok"))
    assert not made.complete
    assert not made.results()[HOST].ended


def test_a_run_that_was_cut_short_names_the_task_that_it_was_cut_short_in() -> None:
    made = tally(event("runner_on_start", "First"), event("runner_on_ok", "First"), event("runner_on_start", "Reboot"))
    failure = made.results("it took longer than 900 s")[HOST].failure
    assert failure is not None
    assert (failure.task, failure.said) == ("Reboot", "it took longer than 900 s")


def test_a_failure_that_ansible_counts_and_does_not_tell_is_a_failure() -> None:
    result = tally(event("runner_on_ok"), stats(failures={HOST: 1})).results()[HOST]
    assert not result.succeeded
    assert result.failure is not None
    assert "among its failures" in result.failure.said


def test_a_run_that_ended_badly_though_no_host_failed_has_succeeded_on_none() -> None:
    made = tally(event("runner_on_ok"), stats())
    assert made.stopped_by(0) is None
    why = made.stopped_by(250)
    assert why == "Ansible ended with status 250 though no host failed"
    assert made.stopped_by(None) == "Ansible was killed though no host failed"
    result = made.results(why)[HOST]
    assert not result.succeeded
    assert result.failure is not None
    assert result.failure.said == why


def test_a_run_that_ended_badly_says_what_ansible_said_last() -> None:
    made = tally(event("runner_on_ok"), stats(), {"event": "error", "stdout": "ERROR! Unexpected Exception\n"})
    assert made.stopped_by(250) == "Ansible ended with status 250 though no host failed: ERROR! Unexpected Exception"


def test_a_run_that_ended_badly_since_a_host_failed_keeps_the_hosts_own_words() -> None:
    made = tally(event("runner_on_failed", res={"msg": "no room"}), stats(failures={HOST: 1}))
    assert made.stopped_by(2) is None
    failure = made.results()[HOST].failure
    assert failure is not None and failure.said == "no room"


def test_facts_are_those_that_a_task_told_of_its_own_host() -> None:
    own = {"ansible_stats": {"data": {"kernel": "6.1"}, "per_host": True}}
    of_all = {"ansible_stats": {"data": {"total": 3}, "per_host": False}}
    made = tally(
        event("runner_on_ok", task_action="ansible.builtin.set_stats", res=own),
        event("runner_on_ok", task_action="set_stats", res=of_all),
        stats(),
    )
    assert made.results()[HOST].facts == {"kernel": "6.1"}


@pytest.mark.parametrize(
    ("result", "line"),
    [
        ({"msg": "No space left\non device"}, "No space left on device"),
        ({"msg": "non-zero return code", "stderr": "a\nE: No lock\n"}, "non-zero return code: E: No lock"),
        ({"msg": "MODULE FAILURE", "module_stderr": "Traceback\nOSError: full"}, "MODULE FAILURE: OSError: full"),
        ({"censored": "hidden"}, "the output is hidden, for the task is marked no_log"),
        ({"results": [{"item": "a", "failed": True, "msg": "x"}, {"failed": True}]}, "a: x (and 1 more items)"),
        ({}, "it failed without a word"),
    ],
)  # fmt: skip
def test_a_failure_is_told_in_one_line(result: dict[str, Any], line: str) -> None:
    assert said.line(result) == line


def test_a_long_failure_is_cut() -> None:
    assert len(said.line({"msg": "x" * 2000})) == 500


def test_a_changed_host_key_is_named_with_the_place_of_the_known_one() -> None:
    message = "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @ Offending ED25519 key in /etc/ssh/known:3 failed."
    assert "is not the one that is known in /etc/ssh/known:3" in said.unreachable({"msg": message})


def test_an_unknown_host_key_is_named() -> None:
    message = "Task failed: Failed to connect to the host via ssh: Host key verification failed."
    assert said.unreachable({"msg": message}) == "its SSH host key is not known; verify it and add it to known_hosts"


def test_the_differences_of_a_loop_are_those_of_its_changed_items() -> None:
    items = [
        {"changed": True, "diff": [{"before": "", "after": "one\n"}]},
        {"changed": False, "diff": {"before": "x", "after": "x"}},
        {"changed": True, "diff": {"prepared": "+two\n"}},
    ]
    shown = diffs.text({"results": items}).splitlines()
    assert [line for line in shown if line.startswith(("+o", "+t"))] == ["+one", "+two"]
