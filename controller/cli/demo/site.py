"""Where the demonstration takes place: a folder of its own, the twin's estate and scenario, the daemon's settings."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from controller.twin import credentials

REPOSITORY = Path(__file__).parents[3]
ESTATE = REPOSITORY / "inventory" / "estates" / "demo"
SCENARIO = Path(__file__).parents[2] / "twin" / "scenarios" / "demo.yaml"
POLICY = {"mode": "auto", "sustained": "6s", "migration": {"settle": "8s", "cooldown": "10m"}}
"""A site would let a breach last minutes before it moves a VM for it; a demonstration has three in all."""


def settings(of_twin: Mapping[str, Any], http_port: int) -> dict[str, Any]:
    """The daemon's settings: what the twin hands over, mode auto, and everything at a quicker pace."""
    snmp = {**of_twin["snmp"], "interval": "5s"}
    pace = {"interval": "3s", "scrape_interval": "3s", "snmp": snmp, "http": {"port": http_port}}
    return {**of_twin, **pace, "policy": POLICY}


def write_settings(folder: Path) -> tuple[Path, str]:
    """Writes the daemon's settings beside the twin's; returns their file and the address of its metrics."""
    port = _free_port()
    file = folder / "demo.yaml"
    credentials.write(file, settings(yaml.safe_load((folder / "daemon.yaml").read_text()), port))
    return file, f"http://127.0.0.1:{port}/metrics"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
