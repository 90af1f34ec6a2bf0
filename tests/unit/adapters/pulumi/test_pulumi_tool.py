"""Short calls of the CLI: out of a terminal's reach, and no login of the backend in what is told."""

import sys
from pathlib import Path

import pytest

from controller.adapters.pulumi import stack_files, tool
from controller.errors import InputError

SAYS_WHETHER_IT_LEADS_ITS_SESSION = "import os, sys; sys.stdout.write(str(os.getsid(0) == os.getpid()))"


def test_a_call_that_may_write_a_state_is_out_of_reach_of_the_terminals_interrupt(tmp_path: Path) -> None:
    program = tmp_path / "pulumi"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -I -S -c '{SAYS_WHETHER_IT_LEADS_ITS_SESSION}'\n")
    program.chmod(0o755)
    assert tool.Tool(command=str(program), root=tmp_path, env={}).call("stack", "import") == "True"


def test_the_clis_own_words_are_told_without_the_backends_login(tmp_path: Path) -> None:
    program = tmp_path / "pulumi"
    program.write_text('#!/bin/sh\necho "error: cannot open $PULUMI_BACKEND_URL" >&2\nexit 255\n')
    program.chmod(0o755)
    env = {"PULUMI_BACKEND_URL": "postgres://gdcc:hush@db.example/pulumi"}
    with pytest.raises(InputError, match=r"cannot open postgres://db\.example/pulumi") as told:
        tool.Tool(command=str(program), root=tmp_path, env=env).call("stack", "ls")
    assert "hush" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgres://gdcc:hush@db.example/pulumi?sslmode=verify-full", "postgres://db.example/pulumi"),
        ("postgres://gdcc@/pulumi?host=/run/pg&password=hush", "postgres:///pulumi"),
        ("file:///var/lib/gdcc/pulumi", "file:///var/lib/gdcc/pulumi"),
        ("s3://gdcc-state?endpoint=rgw.example:443", "s3://gdcc-state"),
        ("", "the backend"),
    ],
)
def test_a_backend_is_told_without_its_login(tmp_path: Path, url: str, told: str) -> None:
    assert tool.Tool(command="pulumi", root=tmp_path, env={"PULUMI_BACKEND_URL": url}).backend == told


@pytest.mark.parametrize(
    "text", [b"backend: file:///x\n", b"- backend\n", b"backend: [a]\n", b"name: \xff\n", b"a: [\n"]
)
def test_a_project_file_that_tells_no_backend_is_refused_in_words(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "Pulumi.yaml").write_bytes(text)
    (tmp_path / "pulumi").write_text("#!/bin/sh\n")
    (tmp_path / "pulumi").chmod(0o755)
    with pytest.raises(InputError, match=r"Pulumi\.yaml: "):
        tool.find(tmp_path, {"PATH": str(tmp_path)})


class Unreadable(type(Path())):
    """A file that somebody else keeps to himself; whoever runs the tests may be root."""

    def read_text(self, encoding: str | None = None, errors: str | None = None, newline: str | None = None) -> str:
        raise PermissionError(13, "Permission denied", str(self))


def test_a_stack_file_that_may_not_be_read_is_refused_in_words(tmp_path: Path) -> None:
    file = stack_files.path(tmp_path, "foundation")
    file.parent.mkdir(parents=True)
    file.write_text("config: {}\n")
    assert stack_files.setting(tmp_path, "foundation", "gdcc:estate") is None
    with pytest.raises(InputError, match=r"foundation\.yaml: cannot be read: Permission denied"):
        stack_files.setting(Unreadable(tmp_path), "foundation", "gdcc:estate")
