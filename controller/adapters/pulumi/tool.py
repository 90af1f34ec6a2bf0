"""The `pulumi` that is installed, the repository's root where it runs, and its environment."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from controller.errors import InputError

POLICY_PACK = "infra/policy"

_BACKEND = "PULUMI_BACKEND_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """How to start the CLI: its path, the repository's root, and the environment of every call."""

    command: str
    root: Path
    env: Mapping[str, str]

    @property
    def backend(self) -> str:
        """The backend's URL as it may be told: without the login in it."""
        url = urlsplit(self.env.get(_BACKEND, ""))
        return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}" if url.scheme else "the backend"

    @property
    def policy_pack(self) -> Path | None:
        """The policy pack's folder; None where the repository has none."""
        folder = self.root / POLICY_PACK
        return folder if (folder / "PulumiPolicy.yaml").is_file() else None

    def argv(self, *words: str) -> list[str]:
        """A whole command line that never asks and never colours."""
        return [self.command, "--non-interactive", "--color", "never", *words]

    def call(self, *words: str, secret: str | None = None) -> str:
        """Runs a short command and gives its standard output; `secret` goes to its standard input, into no argument.

        It has a session of its own: a Ctrl-C at the terminal does not end it while it writes a state or a stack's file.

        Raises `InputError` with the CLI's own words.
        """
        done = self.tried(*words, secret=secret)
        if done.returncode != 0:
            said = last_words(done.stderr or done.stdout)
            if self.env.get(_BACKEND):
                said = said.replace(self.env[_BACKEND], self.backend)
            raise InputError(said, where=f"pulumi {' '.join(words[:2])}")
        return done.stdout

    def tried(self, *words: str, secret: str | None = None) -> subprocess.CompletedProcess[str]:
        """The same, however it ended."""
        return subprocess.run(  # noqa: S603 - the CLI found on PATH
            self.argv(*words),
            cwd=self.root,
            env=self.env,
            input=secret or "",
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )


def find(root: Path, env: Mapping[str, str]) -> Tool:
    """The CLI on PATH, with this Python's own folder first in it: the programs run in the project's environment.

    Raises `InputError` where there is no CLI, it does not fit the SDK, or `root` holds no Pulumi project.
    """
    if not (root / "Pulumi.yaml").is_file():
        raise InputError("no Pulumi.yaml", where=str(root), remedy="run in the repository, or name it with --root")
    path = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])
    command = shutil.which("pulumi", path=path)
    if command is None:
        raise InputError("pulumi is not on PATH", remedy="install the official CLI, see infra/README.md")
    backend = {} if env.get(_BACKEND) else {_BACKEND: _declared_backend(root)}
    whole = {**env, **backend, "PATH": path, "PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_DEBUG_COMMANDS": "true"}
    return Tool(command=command, root=root, env=whole)


def _declared_backend(root: Path) -> str:
    """The backend that Pulumi.yaml declares; "" for none, and then the CLI's own login decides.

    Raises `InputError` where the file cannot be read, or is no project.
    """
    file = root / "Pulumi.yaml"
    try:
        project = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"cannot be read: {error}", where=str(file)) from error
    backend = (project.get("backend") or {}) if isinstance(project, dict) else None
    if not isinstance(backend, dict):
        raise InputError("is no project with a backend", where=str(file), remedy="write 'backend: {url: …}'")
    return str(backend.get("url") or "")


def check_version(tool: Tool) -> str:
    """The CLI's version. Raises `InputError` where it is older than the SDK that the programs use."""
    told, sdk = tool.call("version").strip().lstrip("v"), metadata.version("pulumi")
    if _version(told) < _version(sdk):
        raise InputError(f"{told} is older than its SDK {sdk}", where=tool.command, remedy="install the newer CLI")
    return told


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def last_words(text: str) -> str:
    """What the CLI's standard error says went wrong, in one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line.removeprefix("error: ") for line in lines if line.startswith("error:")]
    return " ".join(told or lines[-3:]) or "ended without a word"
