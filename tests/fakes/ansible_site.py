"""A small landscape for the real Ansible: playbooks and an inventory of this machine under several names."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from controller.adapters.ansible.site import Site

CONFIGURATION = Path(__file__).parents[2] / "ansible.cfg"

INVENTORY = """\
all:
  vars:
    ansible_connection: local
    ansible_python_interpreter: {python}
  children:
    rack_r09:
    rack_r07:
      hosts:
        good:
        bad:
    rack_r08:
      hosts:
        away:
          ansible_connection: ssh
          ansible_host: 127.0.0.1
          ansible_port: 9
"""


def site(
    folder: Path,
    playbooks: Mapping[str, str],
    *,
    vault: Callable[[], str] | None = None,
    files: Mapping[str, str] | None = None,
    inventory_text: str = INVENTORY,
    kept: int = 50,
) -> Site:
    """Writes the landscape below `folder`; `playbooks` maps names to their text, `files` other paths to theirs."""
    root, inventory = folder / "root", folder / "inventory" / "hosts.yml"
    written = {
        root / "ansible.cfg": CONFIGURATION.read_text(),
        inventory: inventory_text.format(python=sys.executable),
        **{root / "playbooks" / name: text for name, text in playbooks.items()},
        **{folder / name: text for name, text in (files or {}).items()},
    }
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Site(root=root, inventory=inventory, artifacts=folder / "artifacts", vault=vault, kept=kept)


def encrypted(text: str, password: str, folder: Path) -> str:
    """What `ansible-vault encrypt` makes of a text."""
    folder.mkdir(parents=True, exist_ok=True)
    secret = folder / "vault-password"
    secret.write_text(password)
    command = [sys.executable, "-m", "ansible", "vault", "encrypt", "--vault-password-file", str(secret)]
    made = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    secret.unlink()
    return made.stdout
