"""A small `pulumi`: stacks as JSON files, locks and pending operations as the real one keeps them, and its event log.

It is run as a program. `$FAKE_PULUMI` is its folder; `scenario.json` there says, by stack, which resources the program
declares (`declares`) and which no more (`drops`; `drops_last`: after all else), which are protected (`protects`) and
which exceptions its file names (`excepts`), which one cannot be made (`fails`), at which one it waits until it is
interrupted (`holds`; twice where it is `stubborn`, and is cut off in its middle), what a refresh finds changed
(`changed`), which policy is broken (`violates`), whether the passphrase is another one (`refuses_secrets`), and whether
another run goes on beside this one, so that each export is out of date once it is read (`meddled`), or makes something
while this one previews it (`filled`). `runs` is how many runs it has had, one a minute, and `since` the one that last
changed its resources; `warns` is what the program warns of.
"""

import json
import os
import signal
import stat
import sys
import time
from itertools import pairwise
from pathlib import Path

KIND = "openstack:networking/network:Network"
NOTES = "calls.jsonl"
SALT = "encryptionsalt: v1:x"
LONGEST_S = 180
"""No test waits longer; one that failed leaves nothing behind for ever."""


class Interrupts:
    """SIGINT counted: at the first the real CLI ends what it began, and then stops; at the second it ends at once."""

    def __init__(self):
        self.seen = 0
        signal.signal(signal.SIGINT, self._seen)

    def _seen(self, *_):
        self.seen += 1


class Stack:
    def __init__(self, home, name):
        self.home, self.name = home, name
        self.file = home / "stacks" / f"{name}.json"
        self.locks = home / ".pulumi/locks/organization/gdcc" / name
        scenario = home / "scenario.json"
        self.plan = json.loads(scenario.read_text()).get(name, {}) if scenario.exists() else {}
        self.state = json.loads(self.file.read_text()) if self.file.exists() else None

    def save(self):
        """In one step: a test may read it at any moment."""
        self.file.parent.mkdir(exist_ok=True)
        draft = self.file.with_suffix(f".{os.getpid()}.new")
        draft.write_text(json.dumps(self.state))
        draft.replace(self.file)

    def urn(self, name, kind=KIND):
        return f"urn:pulumi:{self.name}::gdcc::{kind}::{name}"

    def take_in(self, deployment):
        """A whole state from outside; the real one takes no pending operation in with it."""
        rows = deployment["resources"]
        needs = {row["id"]: row["dependencies"] for row in rows if "dependencies" in row}
        self.state.update(resources=[row["id"] for row in rows], pending=[], dependencies=needs)
        self.save()

    def completed(self, name):
        needs = self.state.get("dependencies", {}).get(name)
        return {"dependencies": needs} if needs else {}

    @property
    def new(self):
        return [each for each in self.plan.get("declares", ()) if each not in self.state["resources"]]

    def same(self, name):
        """One that stands, as a preview shows it: each needs what the program declares before it."""
        declared = self.plan.get("declares", ())
        needs = [self.urn(each) for each in declared[: declared.index(name)]] if name in declared else []
        new = {"urn": self.urn(name), "type": KIND, "custom": True, "dependencies": needs}
        return {"op": "same", "urn": new["urn"], "newState": new}

    @property
    def dropped(self):
        return [each for each in self.plan.get("drops", ()) if each in self.state["resources"]]

    @property
    def protected(self):
        return () if "unprotected" in self.state else self.plan.get("protects", ())

    @property
    def unprotected(self):
        """What the program protects and the state does not, since it was taken away."""
        lost = self.plan.get("protects", ()) if "unprotected" in self.state else ()
        return [each for each in lost if each in self.state["resources"]]


class Run:
    def __init__(self, stack, log):
        self.stack, self.log, self.changes, self.refused = stack, log, {}, False

    def emit(self, **event):
        with Path(self.log).open("a") as out:
            out.write(json.dumps(event) + "\n")

    def step(self, kind, op, name, old=None, new=None):
        state = {"urn": self.stack.urn(name), "type": KIND, "id": "", "parent": "", "custom": True, "provider": ""}
        one = {**state, "inputs": {}, "outputs": {}}
        metadata = {"op": op, "urn": one["urn"], "type": KIND, "provider": "", "new": {**one, **(new or {})}}
        self.emit(**{kind: {"metadata": {**metadata, "old": {**one, **old} if old else None}}})

    def done(self, op, name, **sides):
        self.changes[op] = self.changes.get(op, 0) + 1
        self.step("resOutputsEvent", op, name, **sides)

    def warn(self):
        for message in self.stack.plan.get("warns", ()):
            for _ in range(2):
                event = {"severity": "warning", "message": message, "urn": "", "color": ""}
                self.emit(diagnosticEvent=event)

    def fail(self, name):
        message = f"the cloud refused {name}"
        self.emit(diagnosticEvent={"severity": "error", "message": message, "urn": self.stack.urn(name), "color": ""})
        self.step("resOpFailedEvent", "create", name)

    def refuse(self, name):
        """As the engine says it of a resource that is protected and declared no more."""
        self.refused = True
        why = f'resource "{self.stack.urn(name)}" cannot be deleted\nbecause it is protected. To unprotect it,'
        event = {"severity": "error", "message": f"Preview failed: {why}", "urn": self.stack.urn(name), "color": ""}
        self.emit(diagnosticEvent=event)

    def end(self):
        self.emit(summaryEvent={"resourceChanges": self.changes, "durationSeconds": 1, "PolicyPacks": {}})


def preview(stack, run):
    run.warn()
    for name in stack.new:
        run.step("resourcePreEvent", "create", name)
        run.done("create", name)
    for name in stack.dropped:
        if name in stack.protected:
            run.refuse(name)
        run.done("delete", name, old={"id": name})
    if run.refused:
        return 255
    for name in stack.unprotected:
        run.done("same", name, old={"protect": False}, new={"protect": True})
    if "violates" in stack.plan:
        run.emit(
            policyEvent={
                "message": "broken",
                "color": "",
                "policyName": stack.plan["violates"],
                "policyPackName": "gdcc",
                "policyPackVersion": "1",
                "policyPackVersionTag": "1",
                "enforcementLevel": "mandatory",
            }
        )
        return 255
    run.end()
    states = [{"urn": stack.urn(each), "type": KIND, "custom": True} for each in stack.new]
    steps = [{"op": "create", "urn": state["urn"], "newState": state} for state in states]
    steps += [{"op": "delete", "urn": stack.urn(each), "oldState": {"inputs": {}}} for each in stack.dropped]
    if "filled" in stack.plan:
        stack.state["resources"].append("n0")
        stack.save()
    if "--show-sames" in sys.argv:
        steps += [stack.same(each) for each in stack.state["resources"]]
    config = {"gdcc:exceptions": stack.plan["excepts"]} if "excepts" in stack.plan else {}
    sys.stdout.write(json.dumps({"config": config, "steps": steps}) + "\n")
    return 0


def up(stack, run):
    interrupts = Interrupts()
    run.warn()
    if "drops_last" not in stack.plan:
        drop(stack, run)
        stack.state.pop("unprotected", None)
        stack.save()
    for name in stack.new:
        if interrupts.seen:
            sys.stderr.write("error: update canceled" + "\n")
            return 1
        stack.state["pending"] = [name]
        stack.save()
        run.step("resourcePreEvent", "create", name)
        patient, end = 2 if "stubborn" in stack.plan else 1, time.monotonic() + LONGEST_S
        while name == stack.plan.get("holds") and interrupts.seen < patient and time.monotonic() < end:
            time.sleep(0.01)
        if interrupts.seen > 1:
            return 255
        if name == stack.plan.get("fails"):
            stack.state["pending"] = []
            stack.save()
            run.fail(name)
            return 1
        stack.state["resources"].append(name)
        stack.state["pending"] = []
        stack.save()
        run.done("create", name)
    if interrupts.seen:
        return 1
    drop(stack, run)
    stack.save()
    run.end()
    return 0


def drop(stack, run):
    for name in stack.dropped:
        stack.state["resources"].remove(name)
        run.done("delete", name)


def configuration(words, name):
    """The stack's file as this call sees it; the real one gives it a salt where it has none."""
    given = words[words.index("--config-file") + 1] if "--config-file" in words else f"infra/stacks/Pulumi.{name}.yaml"
    return Path(given)


def salted(file):
    text = file.read_text() if file.exists() else ""
    if text.startswith("{"):
        file.write_text(json.dumps({"encryptionsalt": "v1:x", **json.loads(text)}))
    elif "encryptionsalt" not in text:
        file.write_text(f"{SALT}\n{text}")


def configured(file, more):
    """The file with these keys beside those that it has, where it is JSON; a dot leads into a key's value."""
    try:
        document = json.loads(file.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        document = {}
    config = document.get("config", {})
    for key, value in more.items():
        name, dot, inner = key.partition(".")
        config[name] = {**config.get(name, {}), inner: value} if dot else value
    file.write_text(json.dumps({"encryptionsalt": "v1:x", **document, "config": config}))


def refresh(stack, run):
    salted(configuration(sys.argv, stack.name))
    if "unreachable" in stack.plan:
        sys.stderr.write("error: the backend is not reachable\n")
        return 255
    if "--clear-pending-creates" in sys.argv:
        stack.state["pending"] = []
        stack.save()
    for name in stack.state["resources"]:
        found = stack.plan.get("changed", {}).get(name)
        if found is None:
            run.done("same", name, old={"id": name}, new={"id": name})
        else:
            old, new = ({"id": name, "inputs": {"cores": cores}} for cores in (10, found))
            run.done("update", name, old=old, new=new)
    run.end()
    return 0


def destroy(stack, run):
    for name in list(stack.state["resources"]):
        run.step("resourcePreEvent", "delete", name)
        stack.state["resources"].remove(name)
        stack.save()
        run.done("delete", name)
    run.end()
    return 0


def locked(stack, work):
    held = sorted(stack.locks.glob("*.json"))
    if held:
        lock = json.loads(held[0].read_text())
        who = f"created by {lock['username']}@{lock['hostname']} (pid {lock['pid']}) at {lock['timestamp']}"
        sys.stderr.write(f"error: the stack is currently locked by 1 lock(s).\n  file:///{held[0]}: {who}" + "\n")
        return 255
    stack.locks.mkdir(parents=True, exist_ok=True)
    mine = stack.locks / "1.json"
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    row = {"pid": os.getpid(), "username": "ada", "hostname": os.uname().nodename, "timestamp": now}
    mine.write_text(json.dumps(row))
    try:
        return work()
    finally:
        mine.unlink()


def export(stack):
    common = {"type": KIND, "inputs": {}, "outputs": {}}
    if "since" in stack.plan:
        common["modified"] = moment(stack.plan["since"])
    resources = [
        {"urn": stack.urn(each), "id": each, "protect": each in stack.protected, **stack.completed(each), **common}
        for each in stack.state["resources"]
    ]
    needs = [stack.urn(each) for each in stack.state["resources"] if each not in stack.state["pending"]]
    pending = [
        {"type": "creating", "resource": {"urn": stack.urn(each), "dependencies": needs}}
        for each in stack.state["pending"]
    ]
    sys.stdout.write(json.dumps({"deployment": {"resources": resources, "pending_operations": pending}}) + "\n")
    if "meddled" in stack.plan:
        stack.state["resources"].append(f"beside-{len(resources)}")
        stack.save()


def moment(run):
    return f"2026-11-21T07:{run:02}:00Z"


def history(stack, words):
    """The newest first, ten of them unless another number is asked for, 0 being all."""
    size = int(words[words.index("--page-size") + 1]) if "--page-size" in words else 10
    numbers = list(range(stack.plan.get("runs", 0), 0, -1))
    rows = [{"startTime": moment(each), "endTime": moment(each)} for each in numbers[: size or None]]
    sys.stdout.write(json.dumps(rows) + "\n")


def asked(words, home, stack):
    """The short verbs; None where it is not one."""
    match words[:2]:
        case ["version"]:
            sys.stdout.write("v9999.0.0" + "\n")
        case ["stack", "ls"]:
            files = sorted((home / "stacks").glob("*"))
            counts = {each.stem: len(json.loads(each.read_text())["resources"]) for each in files}
            rows = [{"name": name, "resourceCount": count} for name, count in counts.items()]
            sys.stdout.write(json.dumps(rows) + "\n")
        case ["stack", "init"]:
            new = Stack(home, words[words.index("--no-select") + 1])
            new.state = {"resources": [], "pending": []}
            new.save()
            if Path("infra/stacks").is_dir():
                salted(configuration(words, new.name))
        case ["stack", "rm"]:
            if stack.state["resources"]:
                sys.stderr.write("error: the stack still has resources\n")
                sys.exit(255)
            stack.file.unlink()
        case ["stack", "export"]:
            export(stack)
        case ["stack", "import"]:
            stack.take_in(json.loads(Path(words[words.index("--file") + 1]).read_text())["deployment"])
        case ["stack", "history"]:
            history(stack, words)
        case ["state", "protect"]:
            stack.state.pop("unprotected", None)
            stack.save()
        case ["config", "set"] if stack.plan.get("refuses_secrets"):
            sys.stderr.write("error: incorrect passphrase\n")
            sys.exit(255)
        case ["config", "set"]:
            configured(configuration(words, stack.name), {words[-1]: {"secure": "x"}})
        case ["config", "set-all"]:
            pairs = [word.split("=", 1) for flag, word in pairwise(words) if flag == "--plaintext"]
            configured(configuration(words, stack.name), dict(pairs))
        case ["config", _]:
            pass
        case ["state", "unprotect"]:
            stack.state["unprotected"] = True
            stack.save()
        case ["cancel", *_]:
            for each in stack.locks.glob("*.json"):
                each.unlink()
        case _:
            return False
    return True


def main():
    home = Path(os.environ["FAKE_PULUMI"])
    words = [each for each in sys.argv[1:] if each not in {"--non-interactive", "--color", "never"}]
    value = dict(pairwise(words))
    with (home / NOTES).open("a") as notes:
        said = {"words": words, "stdin": "" if sys.stdin.closed else sys.stdin.read()}
        notes.write(json.dumps({**said, "cloud": os.environ.get("OS_CLOUD")}) + "\n")
    stack = Stack(home, value["--stack"]) if "--stack" in value else None
    if asked(words, home, stack):
        return 0
    run = Run(stack, value.get("--event-log", os.devnull))
    verb = {"preview": preview, "up": up, "refresh": refresh, "destroy": destroy}[words[0]]
    if words[0] == "preview" or "--preview-only" in words:
        return verb(stack, run)
    return locked(stack, lambda: verb(stack, run))


def install(home):
    """Puts it where a PATH can find it, and gives that folder."""
    folder = home / "bin"
    folder.mkdir()
    program = folder / "pulumi"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {__file__} "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return folder


if __name__ == "__main__":
    sys.exit(main())
