"""Firmware declared against found, and the update of one component, with a BMC after DMTF's schema and a real host."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.redfish_bmc import UPDATE, RedfishBmc, served
from tests.lab.host_fixtures import Hosts, Played

pytestmark = pytest.mark.lab

HOST = "host3"
IMAGES = "http://10.214.0.2/firmware"
PAGE = "/var/lib/prometheus/node-exporter/gdcc_firmware.prom"


class Site:
    def __init__(self, hosts: Hosts, bmc: RedfishBmc, url: str, folder: Path) -> None:
        self.hosts, self.bmc, self.folder = hosts, bmc, folder
        self.variables = {"firmware_url": url, "firmware_user": "root", "firmware_password": "calvin"}

    def play(self, playbook: str, declared: dict[str, str], *options: str) -> Played:
        given = self.folder / "variables.json"
        given.write_text(json.dumps({**self.variables, "gdcc_firmware": declared, "firmware_poll_s": 1}))
        return self.hosts.play(playbook, "--limit", HOST, "--tags", "firmware", "-e", f"@{given}", *options)

    def update(self, declared: dict[str, str], component: str, image: str, *options: str) -> Played:
        named = ("-e", f"firmware_component={component}", "-e", f"firmware_image_url={IMAGES}/{image}")
        return self.play("host-firmware", declared, *named, *options)


@pytest.fixture
def site(standing_hosts: Hosts, tmp_path: Path) -> Iterator[Site]:
    bmc = RedfishBmc(images={f"{IMAGES}/bios.bin": "2.19.0"})
    with served(bmc) as url:
        yield Site(standing_hosts, bmc, url, tmp_path)


def test_what_is_found_is_told_to_prometheus_and_what_differs_is_named(site: Site) -> None:
    declared = {"BIOS": "2.18.1", "Raid.1": "52.26.0"}
    assert not site.play("firmware", declared).failed
    assert site.play("firmware", declared).changed == {HOST: 0}
    page = site.hosts.command(HOST, f"cat {PAGE}")
    assert 'gdcc_firmware_info{component="BIOS",version="2.18.1",declared="2.18.1"} 1' in page
    assert 'gdcc_firmware_info{component="Nic.1",version="22.5.7",declared=""} 1' in page
    assert not site.play("host-verify", declared).failed

    verified = site.play("host-verify", {"BIOS": "2.19.0", "Raid.1": "52.26.0", "Disk.1": "5"})
    assert verified.failed == {HOST}
    assert "BIOS is declared 2.19.0, and is 2.18.1. Disk.1 is declared 5, and is not there." in verified.output
    assert "Raid.1 is declared" not in verified.output


def test_a_declared_component_is_updated_once(site: Site) -> None:
    declared = {"BIOS": "2.19.0"}
    looked = site.update(declared, "BIOS", "bios.bin", "--check", "--diff")
    assert "-BIOS 2.18.1\n+BIOS 2.19.0" in looked.output
    assert ("POST", UPDATE) not in site.bmc.requests
    assert site.update(declared, "BIOS", "bios.bin").changed == {HOST: 1}
    assert site.update(declared, "BIOS", "bios.bin").changed == {HOST: 0}
    assert site.bmc.requests.count(("POST", UPDATE)) == 1
    assert not site.play("host-verify", declared).failed


def test_what_is_not_declared_is_refused_and_a_broken_image_fails_the_step(site: Site) -> None:
    refused = site.update({"BIOS": "2.19.0"}, "Raid.1", "bios.bin")
    assert refused.failed == {HOST}
    assert "the estate declares BIOS 2.19.0 for its type and no version of Raid.1" in refused.output
    assert not site.bmc.requests
    broken = site.update({"BIOS": "2.19.0"}, "BIOS", "missing.bin")
    assert broken.failed == {HOST}
    assert f"ended as Exception: Unable to transfer {IMAGES}/missing.bin." in broken.output
    other = site.update({"BIOS": "2.20.0"}, "BIOS", "bios.bin")
    assert other.failed == {HOST}
    assert "to 2.20.0, and says 2.19.0" in other.output
