"""The estate's stacks as their users have them: the project's own programs, the CLI, an estate, and state in files."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
AGENCIES = REPOSITORY / "tests" / "lab" / "estate-agencies"
SEED = "5ca1ab1e" * 8
STEPS_S = 300
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


class Stacks:
    """A root folder with `Pulumi.yaml`, an estate that a test may change, and a state of its own."""

    def __init__(self, folder: Path, cloud: Mapping[str, str], roles: Mapping[str, str]) -> None:
        self.root = folder / "root"
        self.estate = self.root / "estate"
        self._roles = dict(roles)
        (folder / "state").mkdir(parents=True)
        (self.root / "stacks").mkdir(parents=True)
        project = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())
        (self.root / "Pulumi.yaml").write_text(yaml.safe_dump({**project, "stackConfigDir": "stacks"}))
        for name in ("infra", ".venv"):
            (self.root / name).symlink_to(REPOSITORY / name)
        shutil.copytree(AGENCIES, self.estate)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        self.env = {
            **kept,
            **cloud,
            **tools(),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "lab",
            "COLUMNS": "200",
        }

    def make(self, stack: str, **settings: str) -> None:
        """A stack with its configuration."""
        config: dict[str, Any] = {"estate": str(self.estate), "protect": "false", **settings}
        if stack == "foundation":
            config["roles"] = self._roles
        else:
            config["credentialsFrom"] = "2026-01-01"
            config["credentialDays"] = "3650"
        file = self.root / "stacks" / f"Pulumi.{stack}.yaml"
        file.write_text(yaml.safe_dump({"config": {f"gdcc:{key}": value for key, value in config.items()}}))
        self.pulumi("stack", "init", stack)
        if stack != "foundation":
            self.pulumi("config", "set", "--secret", "gdcc:seed", stack=stack, said=SEED)

    def pulumi(self, *words: str, stack: str | None = None, ok: int | None = 0, said: str = "") -> str:
        """The plain CLI; its standard output and, after it, its errors."""
        where = ["--stack", stack] if stack else []
        return self._ran(["pulumi", "--non-interactive", *words, *where], ok, said)

    def gdcc(self, *words: str, ok: int | None = 0) -> str:
        """`gdcc estate` with these words."""
        return self._ran([sys.executable, "-m", "controller", "estate", *words], ok, "")

    def _ran(self, command: list[str], ok: int | None, said: str) -> str:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.env,
            input=said,
            capture_output=True,
            text=True,
            timeout=STEPS_S,
            check=False,
        )
        told = done.stdout + done.stderr
        assert ok is None or done.returncode == ok, f"{' '.join(command)} ended with {done.returncode}: {told}"
        return told

    def outputs(self, stack: str) -> Any:
        """What a stack exports, its secrets in clear."""
        return json.loads(self.pulumi("stack", "output", "--json", "--show-secrets", stack=stack))
