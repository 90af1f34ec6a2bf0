"""A role's variables and templates as Ansible's own templating gives them, with nothing run."""

from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader
from ansible.template import Templar, trust_as_template

from tests.unit.playbooks.role_modules import ROLES

GROUP_VARS = ROLES.parent / "group_vars" / "all"


class Rendered:
    """A role whose defaults are replaced by what is given."""

    def __init__(self, role: str, **given: Any) -> None:
        self._folder = ROLES / role
        self._loader = DataLoader()
        filter_loader.add_directory(str(self._folder / "filter_plugins"))
        given = {name: self._trusted(value) for name, value in given.items()}
        self._variables = {
            **self._read(self._folder / "defaults/main.yml"),
            **self._read(GROUP_VARS / f"{role}.yml"),
            "ansible_managed": "Ansible managed",
            "ansible_check_mode": False,
            **given,
            **self._read(self._folder / "vars/main.yml"),
        }

    def value(self, expression: str) -> Any:
        """What an expression comes to, as one variable's name."""
        return Templar(self._loader, dict(self._variables)).template(trust_as_template("{{ " + expression + " }}"))

    def text(self, template: str, **given: Any) -> str:
        """A file of the role's templates, filled in."""
        text = (self._folder / "templates" / template).read_text()
        variables = {**self._variables, **{name: self._trusted(value) for name, value in given.items()}}
        return str(Templar(self._loader, variables).template(trust_as_template(text)))

    def _read(self, path: Path) -> dict[str, Any]:
        if not path.exists():
            return {}
        return dict(self._loader.load_from_file(str(path), trusted_as_template=True) or {})

    @staticmethod
    def _trusted(value: Any) -> Any:
        return trust_as_template(value) if isinstance(value, str) else value
