"""The SNMP collector's counts as metrics."""

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from controller.adapters.exposition.registry import registry
from controller.adapters.snmp.metrics import SnmpMetrics
from controller.adapters.snmp.stats import Stats
from inventory.facility import SnmpProfile

STATS = Stats(
    polls={SnmpProfile.IDRAC: 7}, faults={(SnmpProfile.IDRAC, "timeout"): 2, (SnmpProfile.ILO, "auth"): 1},
    traps={"polled": 3, "unknown_source": 4}, trap_names={"fan_failure": 3}, informs=1, requests=70, resendings=5,
    timeouts=6, restarts=8, resyncs=9, strays=10, devices=12, answering=11,
)  # fmt: skip


def served() -> CollectorRegistry:
    return registry(lambda: None, SnmpMetrics(lambda: STATS))


def test_every_count_is_shown() -> None:
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in served().collect()
        for sample in family.samples
        if sample.name.startswith("gdcc_snmp_")
    }
    assert found == {
        ("gdcc_snmp_devices",): 12,
        ("gdcc_snmp_devices_answering",): 11,
        ("gdcc_snmp_polls_total", "idrac"): 7,
        ("gdcc_snmp_faults_total", "idrac", "timeout"): 2,
        ("gdcc_snmp_faults_total", "ilo", "auth"): 1,
        ("gdcc_snmp_agent_restarts_total",): 8,
        ("gdcc_snmp_requests_total",): 70,
        ("gdcc_snmp_resendings_total",): 5,
        ("gdcc_snmp_timeouts_total",): 6,
        ("gdcc_snmp_resyncs_total",): 9,
        ("gdcc_snmp_unexpected_packets_total",): 10,
        ("gdcc_snmp_traps_total", "polled"): 3,
        ("gdcc_snmp_traps_total", "unknown_source"): 4,
        ("gdcc_snmp_traps_by_name_total", "fan_failure"): 3,
        ("gdcc_snmp_informs_acknowledged_total",): 1,
    }


def test_no_label_names_a_device() -> None:
    assert "bmc:" not in generate_latest(served()).decode()
