"""Python files of roles, which Ansible loads by their path, loaded likewise."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROLES = Path(__file__).resolve().parents[3] / "playbooks" / "roles"


def role_module(path: str) -> ModuleType:
    """The module at a path below `playbooks/roles`, anew."""
    file = ROLES / path
    spec = importlib.util.spec_from_file_location(f"gdcc_role_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
