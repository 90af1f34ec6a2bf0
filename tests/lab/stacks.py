"""The estate's stacks as their users have them: the project's own programs, the CLI, an estate, and state in files."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from controller.adapters.pulumi import locks, state, urns
from tests.lab import clouds_yaml

REPOSITORY = Path(__file__).parents[2]
AGENCIES = REPOSITORY / "tests" / "lab" / "estate-agencies"
STEPS_S = 900
"""No call of the CLI takes longer."""


def tools() -> dict[str, str]:
    """The environment that the CLI and its plugin need; builds them where they are not there yet."""
    recipe = REPOSITORY / "tests" / "lab" / "pulumi-tools" / "build"
    said = subprocess.run(
        ["bash", "-c", f'eval "$({shlex.quote(str(recipe))})" && env -0'],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHON": sys.executable},
    ).stdout
    built = dict(line.split("=", 1) for line in said.split("\0") if "=" in line)
    return {name: built[name] for name in ("PATH", "PULUMI_HOME", "PULUMI_SKIP_UPDATE_CHECK")}


def steps(events: Path) -> set[tuple[str, str]]:
    """What a run did with the cloud's things, from its event log so far: URN and operation, where not `same`."""
    told = [json.loads(line).get("resOutputsEvent") for line in events.read_text().split("\n")[:-1]]
    done = [each["metadata"] for each in told if each]
    return {
        (each["urn"], each["op"]) for each in done if each["op"] != "same" and each["type"].startswith("openstack:")
    }


class Stacks:
    """A root folder with `Pulumi.yaml`, an estate that a test may change, and a state of its own."""

    def __init__(
        self,
        folder: Path,
        cloud: Mapping[str, str],
        roles: Mapping[str, str],
        estate: Path = AGENCIES,
        backend: str | None = None,
    ) -> None:
        self.root = folder / "root"
        self.estate = self.root / "estate"
        self.roles = dict(roles)
        self._state = folder / "state"
        self._state.mkdir(parents=True)
        (self.root / "infra" / "stacks").mkdir(parents=True)
        own = [each for each in (REPOSITORY / "infra").iterdir() if each.name != "stacks"]
        for each in (REPOSITORY / "Pulumi.yaml", REPOSITORY / ".venv", *own):
            (self.root / each.relative_to(REPOSITORY)).symlink_to(each)
        shutil.copytree(estate, self.estate)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        self.env = {
            **kept,
            **cloud,
            **tools(),
            "PULUMI_BACKEND_URL": backend or f"file://{self._state}",
            "PULUMI_CONFIG_PASSPHRASE": "lab",
            "XDG_STATE_HOME": str(folder),
            "COLUMNS": "200",
        }

    def log_in_by_clouds_yaml(self, name: str) -> None:
        """From here on an entry of clouds.yaml names the cloud, and no other variable."""
        file = self.root / "clouds.yaml"
        clouds_yaml.write(file, name, self.env)
        others = {key: value for key, value in self.env.items() if not key.startswith("OS_")}
        self.env = {**others, "OS_CLIENT_CONFIG_FILE": str(file), "OS_CLOUD": name}

    def make_foundation(self) -> None:
        """The foundation's stack as the plain CLI makes it, with its configuration and nothing in it."""
        config = {"gdcc:estate": str(self.estate), "gdcc:roles": self.roles}
        (self.root / "infra" / "stacks" / "Pulumi.foundation.yaml").write_text(yaml.safe_dump({"config": config}))
        self.pulumi("stack", "init", "--no-select", stack="foundation")

    def pulumi(self, *words: str, stack: str, ok: int | None = 0) -> str:
        """The plain CLI; its standard output and, after it, its errors."""
        return self._ran(["pulumi", "--non-interactive", *words, "--stack", stack], ok, {})

    def killed(self, stack: str, reached: Callable[[], bool]) -> None:
        """`pulumi up` of a stack, killed as by a crash once something is reached."""
        command = ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview", "--stack", stack]
        with subprocess.Popen(command, cwd=self.root, env=self.env, stdout=subprocess.DEVNULL) as process:
            end = time.monotonic() + STEPS_S
            while not reached():
                assert process.poll() is None, f"{stack} ended before it could be killed"
                assert time.monotonic() < end
            process.kill()

    def interrupted(self, number: signal.Signals, stack: str) -> Any:
        """`gdcc estate up` of an agency, given a signal once it has made something: its row when it has ended."""
        words = ("up", "--agency", stack.removeprefix("agency-"), "--json")
        before = set(self._events(stack))
        command = [sys.executable, "-m", "controller", "estate", *words]
        with subprocess.Popen(command, cwd=self.root, env=self.env, stdout=subprocess.PIPE, text=True) as process:
            end = time.monotonic() + STEPS_S
            while not any(steps(path) for path in set(self._events(stack)) - before):
                assert process.poll() is None, f"{stack} ended before it could be interrupted"
                assert time.monotonic() < end
            process.send_signal(number)
            said, _ = process.communicate(timeout=STEPS_S)
        assert process.returncode == 1, said
        return json.loads(said)["stacks"][0]

    def _events(self, stack: str) -> Iterator[Path]:
        """What the engine told of each `up` of a stack by `gdcc estate`."""
        return self._state.parent.glob(f"gdcc/estate/*-up/{stack}/up/events")

    def locks(self) -> dict[str, tuple[locks.Lock, ...]]:
        """The locks that stand, by stack."""
        return locks.in_files(self.env["PULUMI_BACKEND_URL"], "gdcc")

    def kept(self, stack: str) -> state.State:
        """What a stack's state holds."""
        return state.parsed(json.loads(self.pulumi("stack", "export", stack=stack)))

    def forget(self, stack: str, *kinds: str) -> None:
        """Leaves the state as a kill would between the cloud's answer and the next writing, of these kinds."""
        file = self._state / ".pulumi/stacks/gdcc" / f"{stack}.json"
        document = json.loads(file.read_text())
        deployment = document["checkpoint"]["latest"]
        lost = [
            row
            for row in deployment["resources"]
            if row["type"].startswith("openstack:") and urns.kind_of(row["urn"]) in kinds
        ]
        assert len({row["type"] for row in lost}) == len(kinds), f"{stack} has not all of {kinds}"
        deployment["resources"] = [row for row in deployment["resources"] if row not in lost]
        gone = {row["urn"] for row in lost}
        hanging = [row["urn"] for row in deployment["resources"] if gone & {*(row.get("dependencies") or ())}]
        assert hanging == [], "what stays depends on what is forgotten: Pulumi would refuse the state"
        begun = [{key: row[key] for key in row.keys() - {"id", "outputs"}} for row in lost]
        deployment["pending_operations"] = [{"resource": row, "type": "creating"} for row in begun]
        file.write_text(json.dumps(document))

    def empty_attributes(self, stack: str) -> list[Path]:
        """Leaves the attribute files of a stack's state and locks as a kill would that comes while they are written."""
        kept = self._state / ".pulumi"
        files = [kept / "stacks/gdcc" / f"{stack}.json.attrs", *(kept / "locks").rglob(f"{stack}/*.attrs")]
        for file in files:
            file.write_bytes(b"")
        return files

    def gdcc(self, verb: str, *words: str, ok: int | None = 0, **env: str) -> Any:
        """`gdcc estate` with these words; what it prints for machines."""
        said = self._ran([sys.executable, "-m", "controller", "estate", verb, *words, "--json"], ok, env)
        return json.loads(said[said.index("{") : said.rindex("}") + 1])

    def changed(self, verb: str, *words: str) -> dict[str, dict[str, int]]:
        """What `gdcc estate` changed, by stack; those where it changed nothing are left out."""
        rows = self.gdcc(verb, *words)["stacks"]
        return {row["stack"]: row["changes"] for row in rows if row["changes"]}

    def drift(self, *words: str, ok: int) -> list[str]:
        """Everything that drifted, a sentence each; `ok` is the exit status expected."""
        rows = self.gdcc("drift", *words, ok=ok)["stacks"]
        return [one["says"] for row in rows for one in (*row["resources"], *row["added"])]

    def destroy(self, *stacks: str) -> None:
        """Deletes what these stacks hold, the protected too; without names, all that hold something."""
        known = json.loads(self._ran(["pulumi", "stack", "ls", "--json"], 0, {}))
        names = stacks or [row["name"] for row in known if row["resourceCount"]]
        if not names:
            return
        words = [word for name in names for word in ("--yes-destroy", name)]
        agencies = [name.removeprefix("agency-") for name in names if name.startswith("agency-")]
        chosen = [word for name in agencies for word in ("--agency", name)]
        self.gdcc("destroy", *chosen, *(["--foundation"] if "foundation" in names else []), *words)

    def _ran(self, command: list[str], ok: int | None, env: Mapping[str, str]) -> str:
        done = subprocess.run(
            command,
            cwd=self.root,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=STEPS_S,
            check=False,
        )
        told = done.stdout + done.stderr
        assert ok is None or done.returncode == ok, f"{' '.join(command)} ended with {done.returncode}: {told}"
        return told

    def written(self) -> Iterator[Path]:
        """All that runs left: the backend, the runs' folders, and the stacks' files."""
        for folder in (self._state, self._state.parent / "gdcc", self.root / "infra" / "stacks"):
            yield from folder.rglob("*")

    def outputs(self, stack: str) -> Any:
        """What a stack exports, its secrets in clear."""
        return json.loads(self.pulumi("stack", "output", "--json", "--show-secrets", stack=stack))
