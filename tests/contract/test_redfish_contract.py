"""What the fake BMC and sushy-tools' emulator both are asked for, answered by both alike.

The emulator has no accounts, trap targets, network services, power policy and inventory of firmware: for those the fake
follows DMTF's schema alone.
"""

import base64
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import redfish_bmc
from tests.fakes.free_ports import free_port

STARTS_S = 60.0
LOGIN = base64.b64encode(b"root:calvin").decode()


class Bmc:
    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, method: str = "GET", body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Status and body of an answer, whichever they are."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Basic {LOGIN}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def first(self, collection: str) -> str:
        root = self.ask("/redfish/v1/")[1]
        return str(self.ask(root[collection]["@odata.id"])[1]["Members"][0]["@odata.id"])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def sushy() -> Iterator[str]:
    """The emulator of the project's environment, on a port of its own."""
    port = free_port()
    emulator = [Path(sys.executable).with_name("sushy-emulator"), "--fake", "-i", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(emulator, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + STARTS_S
    while not answers(port):
        assert process.poll() is None and time.monotonic() < end, "sushy-emulator does not start"
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()


@pytest.fixture(params=["fake", "sushy"])
def bmc(request: pytest.FixtureRequest) -> Iterator[Bmc]:
    if request.param == "sushy":
        yield Bmc(request.getfixturevalue("sushy"))
        return
    with redfish_bmc.served(redfish_bmc.RedfishBmc()) as url:
        yield Bmc(url)


def test_the_root_leads_to_one_system_and_its_manager(bmc: Bmc) -> None:
    assert bmc.ask(bmc.first("Systems"))[1]["PowerState"] in {"On", "Off"}
    manager = bmc.ask(bmc.first("Managers"))[1]
    assert manager["ManagerType"] == "BMC"
    assert manager["FirmwareVersion"]


def test_a_manager_keeps_the_clock_that_it_is_given(bmc: Bmc) -> None:
    manager = bmc.first("Managers")
    status, _ = bmc.ask(manager, "PATCH", {"DateTime": "2026-11-21T11:00:00+00:00", "DateTimeLocalOffset": "+00:00"})
    assert status in {200, 204}
    assert bmc.ask(manager)[1]["DateTime"] == "2026-11-21T11:00:00+00:00"


def test_an_update_wants_an_image_and_a_target(bmc: Bmc) -> None:
    service = bmc.ask(bmc.ask("/redfish/v1/")[1]["UpdateService"]["@odata.id"])[1]
    action = service["Actions"]["#UpdateService.SimpleUpdate"]["target"]
    status, told = bmc.ask(action, "POST", {"Targets": [bmc.first("Systems")]})
    assert status == 400
    assert told["error"]["message"]
    assert bmc.ask(action, "POST", {"ImageURI": "http://images/bios.bin"})[0] == 400


def test_what_is_not_there_is_told_as_an_error_of_redfish(bmc: Bmc) -> None:
    status, told = bmc.ask("/redfish/v1/Nothing")
    assert status == 404
    assert told["error"]["code"].startswith("Base.1.0")
    assert bmc.ask(f"{bmc.first('Systems')}x")[0] == 404
