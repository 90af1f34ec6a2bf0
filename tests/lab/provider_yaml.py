"""Writes the traits of the lab's hosts as nova-compute reads them: `python -m tests.lab.provider_yaml FOLDER`."""

import sys
from pathlib import Path

from inventory import load, provider_config

ESTATE = Path(__file__).parent / "estate"


def main(run: Path) -> None:
    estate = load.load(ESTATE)
    for host in estate.hosts.values():
        folder = run / host.name / "provider"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "provider.yaml").write_text(provider_config.text(estate, host))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
