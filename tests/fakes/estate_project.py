"""A repository with an estate, a small `pulumi` on PATH, and a backend that is empty."""

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from typer.testing import CliRunner

from controller.cli.main import app
from inventory import dump, generate, load
from tests.fakes import pulumi_cli


@functools.cache
def _declared():
    """A small estate's files by name, and the names of its agencies."""
    with tempfile.TemporaryDirectory() as folder:
        written = dump.write_rows(dump.rows(generate.estate(60, 1)), Path(folder), schema="estate.schema.json")
        return {path.name: path.read_bytes() for path in written}, tuple(load.load(Path(folder)).agencies)


class Project:
    def __init__(self, home):
        self.home, self.backend = home, f"file://{home}"
        self.root = home / "repository"
        estate = self.root / "inventory/estates/gdcc"
        estate.mkdir(parents=True)
        (self.root / "Pulumi.yaml").write_text("name: gdcc\n")
        written, agencies = _declared()
        for name, text in written.items():
            (estate / name).write_bytes(text)
        self.agencies = list(agencies[:3])
        self.stacks = [f"agency-{each}" for each in self.agencies]
        files = self.root / "infra/stacks"
        files.mkdir(parents=True)
        # the cloud is asked for the roles it has only where the foundation's file does not name them
        (files / "Pulumi.foundation.yaml").write_text('{"config": {"gdcc:roles": {"member": "m", "reader": "r"}}}')
        self.path = os.pathsep.join([str(pulumi_cli.install(home)), os.environ["PATH"]])

    def scenario(self, **stacks):
        (self.home / "scenario.json").write_text(json.dumps(stacks))

    def deployed(self, *names, pending=(), **resources):
        (self.home / "stacks").mkdir(exist_ok=True)
        for name in names:
            state = {"resources": resources.get("resources", []), "pending": list(pending)}
            (self.home / "stacks" / f"{name}.json").write_text(json.dumps(state))

    def resources(self, stack):
        return json.loads((self.home / "stacks" / f"{stack}.json").read_text())["resources"]

    def pending(self, stack):
        return json.loads((self.home / "stacks" / f"{stack}.json").read_text())["pending"]

    def calls(self):
        return [json.loads(line)["words"] for line in (self.home / pulumi_cli.NOTES).read_text().splitlines()]

    def lock(self, stack, pid, since="2026-11-21T07:13:56Z"):
        folder = self.home / ".pulumi/locks/organization/gdcc" / stack
        folder.mkdir(parents=True)
        row = {"pid": pid, "username": "ada", "hostname": os.uname().nodename, "timestamp": since}
        (folder / "1.json").write_text(json.dumps(row))

    @property
    def env(self):
        return {
            "PATH": self.path,
            "FAKE_PULUMI": str(self.home),
            "PULUMI_BACKEND_URL": self.backend,
            "XDG_STATE_HOME": str(self.home / "xdg"),
            "COLUMNS": "200",
        }

    def begin(self, *words):
        """The verb in a process of its own, for signals."""
        argv = [sys.executable, "-m", "controller", "estate", *words, "--root", str(self.root)]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(argv, env={**os.environ, **self.env}, text=True, **pipes)

    def gdcc(self, *words):
        return CliRunner().invoke(app, ["estate", *words, "--root", str(self.root)], env=self.env)

    def chosen(self, count=3):
        return [word for each in self.agencies[:count] for word in ("--agency", each)]

    def until_under_way(self, stack, name):
        """Waits until the small pulumi is in the middle of making that resource."""
        end = time.monotonic() + 30
        file = self.home / "stacks" / f"{stack}.json"
        while time.monotonic() < end:
            if file.exists() and file.read_text().endswith("}") and json.loads(file.read_text())["pending"] == [name]:
                return
            time.sleep(0.02)
        raise AssertionError(f"{stack} never began {name}")
