"""Settings into what runs playbooks."""

import subprocess
from collections.abc import Callable

from controller import config
from controller.adapters.ansible.site import Site
from controller.errors import InputError

_LONGEST_SECRET_S = 60.0


def site(settings: config.Config) -> Site:
    """Where Ansible finds what it runs."""
    given = settings.ansible
    return Site(
        root=given.root,
        inventory=given.inventory or settings.estate / "gdcc.yml",
        artifacts=given.artifacts or settings.state_dir / "ansible",
        vault=_vault(given),
        environment=given.environment,
        kept=given.kept,
        forks=given.forks,
        at_once=given.at_once,
    )


def _vault(given: config.Ansible) -> Callable[[], str] | None:
    if given.vault is not None:
        return given.vault.reveal
    if given.vault_command:
        return lambda: _printed(given.vault_command)
    return None


def _printed(command: tuple[str, ...]) -> str:
    try:
        answer = subprocess.run(  # noqa: S603 - the site's own command, with no shell
            command, capture_output=True, text=True, timeout=_LONGEST_SECRET_S, check=True, stdin=subprocess.DEVNULL
        )
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.split()) or f"it ended with {error.returncode}"
        raise InputError(f"the vault's password is not told: {said}", where=command[0]) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"the vault's password is not told: {error}", where=command[0]) from error
    password = answer.stdout.strip()
    if not password:
        raise InputError("the vault's password is empty", where=command[0])
    return password
