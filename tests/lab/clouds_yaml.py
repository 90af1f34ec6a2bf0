"""The lab's cloud as an entry of clouds.yaml, as operators keep it."""

from collections.abc import Mapping
from pathlib import Path

import yaml


def write(file: Path, name: str, env: Mapping[str, str]) -> None:
    """Makes the file, with what the `OS_` variables say as its one entry."""
    auth = {
        "auth_url": env["OS_AUTH_URL"],
        "username": env["OS_USERNAME"],
        "password": env["OS_PASSWORD"],
        "project_name": env["OS_PROJECT_NAME"],
        "user_domain_name": env["OS_USER_DOMAIN_NAME"],
        "project_domain_name": env["OS_PROJECT_DOMAIN_NAME"],
    }
    file.write_text(yaml.safe_dump({"clouds": {name: {"auth": auth, "region_name": env["OS_REGION_NAME"]}}}))
