"""What the monitoring role leaves on a host, asked by those who read it: HTTP, and the controller's own SNMP."""

import hashlib
import urllib.request
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.prometheus.collector import PrometheusCollector, Server
from controller.adapters.prometheus.joined import HostLabels
from controller.adapters.prometheus.query import defaults
from controller.adapters.snmp.credentials import AuthProtocol, PrivProtocol, User
from controller.adapters.snmp.target import Target, Watts
from controller.model.sample import Kind, Quantity
from inventory import load
from inventory.facility import SnmpProfile
from tests.fakes.real_prometheus import prometheus
from tests.fakes.snmp_devices import watched
from tests.lab.host_fixtures import ESTATE_OF_HOSTS, Hosts

pytestmark = pytest.mark.lab

HOST, ADDRESS = "host2", "10.214.0.12"
SECRET = "lab-snmp-secret"
ONLY = ("--limit", HOST)


def passphrase(of: str) -> str:
    """As group_vars/all/monitoring.yml makes it of the landscape's secret."""
    return hashlib.sha256(f"{SECRET}/{of}/{HOST}".encode()).hexdigest()


USER = User(
    name=f"gdcc-{HOST}",
    auth=passphrase("auth"),
    priv=passphrase("priv"),
    auth_protocol=AuthProtocol.SHA256,
    priv_protocol=PrivProtocol.AES128,
)


@pytest.fixture(scope="module")
def monitored(standing_hosts: Hosts) -> Hosts:
    played = standing_hosts.play("monitoring", *ONLY)
    assert not played.failed, played.output
    return standing_hosts


async def faults(user: User) -> list[str]:
    """What the controller's collector finds wrong with the host's agent."""
    target = Target(
        name="host", kind=Kind.HOST, subject=HOST, address=(ADDRESS, 161), profile=SnmpProfile.ILO, credential="c",
        watts=Watts(least=75.0, most=700.0),
    )  # fmt: skip
    async with watched(target, user) as device:
        polled = await device.poll()
        return [fault.reason for fault in polled.faults]


def test_a_second_run_changes_nothing_and_verify_agrees(monitored: Hosts) -> None:
    again = monitored.play("monitoring", *ONLY)
    assert again.changed == {HOST: 0}, again.output
    verified = monitored.play("host-verify", "--tags", "monitoring", *ONLY)
    assert not verified.failed, verified.output


def test_the_exporters_page_holds_the_hosts_own_checks(monitored: Hosts) -> None:
    with urllib.request.urlopen(f"http://{ADDRESS}:9100/metrics", timeout=30) as answer:
        page = answer.read().decode()
    assert "node_cpu_seconds_total" in page
    assert "\ngdcc_host_reboot_required " in page
    assert "\ngdcc_host_checks_timestamp_seconds " in page


async def test_a_real_prometheus_scrapes_it_and_the_controller_reads_the_host_there(
    monitored: Hosts, tmp_path: Path
) -> None:
    host, window = load.load(ESTATE_OF_HOSTS).hosts[HOST], timedelta(seconds=10)
    async with prometheus(tmp_path, {"node": list(host.exporters)}) as running:
        await running.until('up{job="node"} == 1', 1)
        await running.until(f'sum(rate(node_cpu_seconds_total{{mode="idle"}}[{window.seconds}s])) > 0', 1)
        collector = PrometheusCollector(Server(url=running.url), defaults(window), HostLabels.of([host]))
        await collector.start()
        batches, _ = await collector.collect(timedelta(seconds=10))
        await collector.stop()
    read = {batch.quantity: batch for batch in batches if batch.kind is Kind.HOST}
    assert {Quantity.CPU_RATIO, Quantity.MEMORY_BYTES, Quantity.NETWORK_BYTES_S} <= set(read)
    assert all(batch.names == (HOST,) for batch in read.values())
    assert 0.0 < read[Quantity.CPU_RATIO].values[0] <= 1.0


async def test_snmpd_answers_the_controllers_collector_with_the_hosts_own_keys_alone(monitored: Hosts) -> None:
    assert not {"auth", "timeout"} & set(await faults(USER))
    assert await faults(replace(USER, auth=passphrase("other"))) == ["auth"]
    assert await faults(replace(USER, priv=passphrase("other"))) == ["auth"]


def test_no_secret_stands_on_the_host(monitored: Hosts) -> None:
    secrets = "|".join([SECRET, USER.auth, USER.priv])
    assert monitored.says(HOST, f"grep -rlE '{secrets}' /etc /var/lib /var/log /root /tmp") == ""


def test_what_is_broken_by_hand_is_named_and_put_right(monitored: Hosts) -> None:
    monitored.command(
        HOST,
        "sed -i 's,node-exporter\",elsewhere\",' /etc/default/prometheus-node-exporter"
        " && systemctl restart prometheus-node-exporter && systemctl stop snmpd"
        " && sed -i '/^usmUser/d' /var/lib/snmp/snmpd.conf && systemctl start snmpd",
    )

    looked = monitored.play("monitoring", "--check", "--diff", *ONLY)
    assert "collector.textfile.directory=/var/lib/prometheus/elsewhere" in looked.output
    assert f"snmpd knows no user gdcc-{HOST}" in looked.output
    verified = monitored.play("host-verify", "--tags", "monitoring", *ONLY)
    assert verified.failed == {HOST}
    assert "lacks gdcc_host_reboot_required" in verified.output

    assert not monitored.play("monitoring", *ONLY).failed
    verified = monitored.play("host-verify", "--tags", "monitoring", *ONLY)
    assert not verified.failed, verified.output
