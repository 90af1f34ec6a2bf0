"""A virtual environment of its own for what a benchmark compares us with, so that our locked one need not hold it."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOM = Path.home() / ".cache" / "gdcc"
PARTS = Path(__file__).parent


def python(name: str) -> str:
    """The interpreter of `~/.cache/gdcc/NAME`, made as `NAME-requirements.txt` says, anew when that has changed."""
    pinned, folder = PARTS / f"{name}-requirements.txt", ROOM / name
    stamp = folder / pinned.name
    interpreter = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != pinned.read_text():
        print(f"Makes {folder} from {pinned.name} (a minute, from PyPI) …", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)], f"no virtual environment in {folder}")
        install = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*install, "--require-hashes", "--requirement", str(pinned)], f"{pinned.name} could not be installed")
        shutil.copy(pinned, stamp)
    return str(interpreter)


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        sys.exit(f"{what}; it needs PyPI (or a mirror that pip knows):\n{said}")
