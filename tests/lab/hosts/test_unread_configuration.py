"""Configuration that a run wrote before it broke off, and that the running service never read."""

import pytest

from tests.lab.host_fixtures import Hosts

pytestmark = [pytest.mark.lab, pytest.mark.soak]

HOST = "host2"
ONLY = ("--limit", HOST)


@pytest.mark.parametrize(
    ("concern", "unit", "file"),
    [
        ("logging", "rsyslog.service", "/etc/rsyslog.conf"),
        ("logging", "systemd-journald.service", "/etc/systemd/journald.conf.d/90-gdcc.conf"),
        ("monitoring", "snmpd.service", "/etc/snmp/snmpd.conf"),
        ("monitoring", "prometheus-node-exporter.service", "/etc/default/prometheus-node-exporter"),
    ],
)
def test_it_is_named_by_verify_and_read_after_the_next_run(
    standing_hosts: Hosts, concern: str, unit: str, file: str
) -> None:
    hosts = standing_hosts
    configured = hosts.play(concern, *ONLY)
    assert not configured.failed, configured.output
    began = f"systemctl show -P ExecMainStartTimestampMonotonic {unit}"
    before = hosts.command(HOST, began)
    hosts.command(HOST, f"cp {file} {file}.new && mv {file}.new {file}")

    verified = hosts.play("host-verify", "--tags", concern, *ONLY)
    assert verified.failed == {HOST}
    assert f"{unit} runs, and has not read" in " ".join(verified.output.split())

    assert not hosts.play(concern, *ONLY).failed
    assert hosts.command(HOST, began) != before
    verified = hosts.play("host-verify", "--tags", concern, *ONLY)
    assert not verified.failed, verified.output
    assert hosts.play(concern, *ONLY).changed == {HOST: 0}
