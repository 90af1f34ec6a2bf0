"""Prometheus in every bad mood: what cannot be used is a fault with its reason, never a number."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from controller.adapters.prometheus import answer
from controller.adapters.prometheus.collector import PrometheusCollector, Server
from controller.adapters.prometheus.joined import HostLabels
from controller.adapters.prometheus.query import Query
from controller.errors import InputError
from controller.model.sample import Kind, Quantity
from tests.fakes.prometheus import FakePrometheus, Mood

CPU = Query(quantity=Quantity.CPU_RATIO, kind=Kind.HOST, promql="cpu", label="instance", age="cpu_age")
VM = Query(quantity=Quantity.CPU_VCPUS, kind=Kind.VM, promql="vcpus", label="uuid", age="vm_age")
LABELS = HostLabels(hosts={"c1": "c1", "10.0.0.2:9100": "c2", "10.0.0.3": "c3"})
SOON = timedelta(seconds=1)
"""Long enough for whoever answers, on a busy machine too."""
SECRET = "s3cret-token"


@pytest.fixture
async def prometheus() -> AsyncIterator[FakePrometheus]:
    async with FakePrometheus() as fake:
        fake.knows("cpu", "instance", c1=0.25, **{"10.0.0.2:9100": 0.5})
        fake.knows("cpu_age", "instance", c1=1000, **{"10.0.0.2:9100": 1001})
        fake.knows("vcpus", "uuid", **{"vm-1": 1.5})
        fake.knows("vm_age", "uuid", **{"vm-1": 1002})
        yield fake


@pytest.fixture
async def collector(prometheus: FakePrometheus) -> AsyncIterator[PrometheusCollector]:
    server = Server(url=prometheus.url, token=lambda: SECRET, max_body_bytes=4096)
    collector = PrometheusCollector(server, (CPU, VM), LABELS)
    await collector.start()
    yield collector
    await collector.stop()


async def test_a_value_comes_with_its_samples_own_time_under_the_inventorys_name(
    collector: PrometheusCollector, prometheus: FakePrometheus
) -> None:
    batches, faults = await collector.collect(SOON)
    assert faults == []
    hosts, vms = batches
    assert (hosts.names, hosts.values.tolist(), hosts.at.tolist()) == (("c1", "c2"), [0.25, 0.5], [1000.0, 1001.0])
    assert (vms.names, vms.values.tolist(), vms.at.tolist()) == (("vm-1",), [1.5], [1002.0])
    assert set(prometheus.authorization) == {f"Bearer {SECRET}"}


@pytest.mark.parametrize("token", ["two\nlines", "ends\r", "nul\0"])
async def test_a_token_that_no_header_can_carry_is_a_fault_and_stands_in_none(
    prometheus: FakePrometheus, token: str
) -> None:
    collector = PrometheusCollector(Server(url=prometheus.url, token=lambda: token), (CPU,), LABELS)
    await collector.start()
    batches, faults = await collector.collect(SOON)
    await collector.stop()
    assert not batches
    assert [fault.reason for fault in faults] == ["http"]
    assert not any(part in fault.detail for fault in faults for part in ("two", "ends", "nul"))


@pytest.mark.parametrize("url", ["http://[::1", "http://p:99999", "http://p:x", "p:9090", "http://"])
def test_what_is_no_address_of_a_prometheus_is_told_so(url: str) -> None:
    with pytest.raises(InputError, match=r"prometheus\.url: the URL of Prometheus is no http or https URL"):
        Server(url=url)


async def test_times_are_asked_before_values(collector: PrometheusCollector, prometheus: FakePrometheus) -> None:
    await collector.collect(SOON)
    assert prometheus.asked.index("cpu_age") < prometheus.asked.index("cpu")


@pytest.mark.parametrize(
    ("mood", "reason"),
    [
        (Mood.SILENT, "timeout"),
        (Mood.HANGS_UP, "http"),
        (Mood.CUT_SHORT, "truncated"),
        (Mood.HALF_JSON, "truncated"),
        (Mood.NOT_JSON, "truncated"),
        (Mood.FAILS, "http"),
        (Mood.EXECUTION_TIMEOUT, "timeout"),
        (Mood.FORBIDS, "auth"),
        (Mood.REDIRECTS, "http"),
        (Mood.WARNS, "partial"),
        (Mood.MATRIX, "malformed"),
        (Mood.HUGE, "truncated"),
    ],
)
async def test_a_bad_answer_is_a_fault_and_no_number(
    collector: PrometheusCollector, prometheus: FakePrometheus, mood: Mood, reason: str
) -> None:
    prometheus.mood = mood
    batches, faults = await collector.collect(SOON)
    assert batches == []
    assert {(fault.subject, fault.reason) for fault in faults} == {("host cpu_ratio", reason), ("vm cpu_vcpus", reason)}
    assert not any(SECRET in fault.detail for fault in faults)


async def test_one_slow_query_takes_nothing_from_the_others(
    collector: PrometheusCollector, prometheus: FakePrometheus
) -> None:
    prometheus.moods["vcpus"] = Mood.SILENT
    batches, faults = await collector.collect(SOON)
    assert [batch.quantity for batch in batches] == [Quantity.CPU_RATIO]
    assert [(fault.subject, fault.reason) for fault in faults] == [("vm cpu_vcpus", "timeout")]


async def test_a_prometheus_that_is_down_is_a_fault(prometheus: FakePrometheus) -> None:
    collector = PrometheusCollector(Server(url="http://127.0.0.1:1"), (CPU,), LABELS)
    await collector.start()
    batches, faults = await collector.collect(SOON)
    await collector.stop()
    assert batches == []
    assert [fault.reason for fault in faults] == ["http"]


async def test_a_rate_that_outlives_its_target_is_stale(
    collector: PrometheusCollector, prometheus: FakePrometheus
) -> None:
    prometheus.knows("cpu_age", "instance", c1=1000)
    batches, faults = await collector.collect(SOON)
    assert batches[0].names == ("c1",)
    assert [(fault.subject, fault.reason) for fault in faults] == [("c2", "stale")]


@pytest.mark.parametrize("text", ["NaN", "+Inf", "-Inf"])
async def test_a_value_that_is_no_number_is_left_out(
    collector: PrometheusCollector, prometheus: FakePrometheus, text: str
) -> None:
    prometheus.knows("cpu", "instance", c1=text, **{"10.0.0.2:9100": 0.5})
    batches, faults = await collector.collect(SOON)
    assert batches[0].names == ("c2",)
    assert [(fault.subject, fault.reason) for fault in faults] == [("c1", "nan")]


async def test_two_series_of_one_vm_give_no_number(collector: PrometheusCollector, prometheus: FakePrometheus) -> None:
    prometheus.series["vcpus"].append(({"uuid": "vm-1", "instance": "c2"}, "0.1"))
    batches, faults = await collector.collect(SOON)
    assert [batch.kind for batch in batches] == [Kind.HOST]
    assert [(fault.subject, fault.reason) for fault in faults] == [("vm-1", "duplicate")]


async def test_two_instances_of_one_host_give_no_number(
    collector: PrometheusCollector, prometheus: FakePrometheus
) -> None:
    for promql in ("cpu", "cpu_age"):
        prometheus.series[promql].append(({"instance": "c1:9999"}, "1"))
    batches, faults = await collector.collect(SOON)
    assert batches[0].names == ("c2",)
    assert [(fault.subject, fault.reason) for fault in faults] == [("c1", "duplicate")]


async def test_instances_that_are_no_host_of_the_estate_are_left_out_silently(
    collector: PrometheusCollector, prometheus: FakePrometheus
) -> None:
    prometheus.series["cpu"].append(({"instance": "control1:9100"}, "0.9"))
    batches, faults = await collector.collect(SOON)
    assert batches[0].names == ("c1", "c2")
    assert faults == []


async def test_when_no_instance_is_a_host_the_fault_shows_one_of_them(
    collector: PrometheusCollector, prometheus: FakePrometheus
) -> None:
    prometheus.knows("cpu", "instance", **{"192.0.2.7:9100": 0.5})
    batches, faults = await collector.collect(SOON)
    assert [batch.kind for batch in batches] == [Kind.VM]
    assert [fault.reason for fault in faults] == ["empty"]
    assert "'192.0.2.7:9100'" in faults[0].detail


async def test_series_without_the_naming_label_are_told_once(
    collector: PrometheusCollector, prometheus: FakePrometheus
) -> None:
    prometheus.series["vcpus"] += [({"domain": "instance-1"}, "1"), ({"domain": "instance-2"}, "1")]
    batches, faults = await collector.collect(SOON)
    assert batches[1].names == ("vm-1",)
    assert [(fault.subject, fault.reason) for fault in faults] == [("vm cpu_vcpus", "malformed")]


def answered(**more: object) -> dict[str, object]:
    series = [
        {"metric": {"uuid": f"vm-{n}", "domain": 'a "quoted", [name]'}, "value": [1.7e9, str(n)]} for n in range(3)
    ]
    return {"status": "success", **more, "data": {"resultType": "vector", "result": series}, "infos": ["fine"]}


@pytest.mark.parametrize(
    "layout", [{"separators": (",", ":")}, {}, {"indent": 2}], ids=["compact", "spaced", "indented"]
)
def test_an_answer_is_read_however_its_json_is_laid_out(layout: Any) -> None:
    body = json.dumps(answered(stats={"result": 1}), **layout).encode()
    assert answer.vector(body, "uuid").values == {"vm-0": 0.0, "vm-1": 1.0, "vm-2": 2.0}


def test_an_answer_cut_anywhere_or_with_anything_behind_it_gives_no_number() -> None:
    body = json.dumps(answered()).encode()
    for spoilt in [*(body[:length] for length in range(len(body))), body + b"]", body.replace(b"}, {", b"} {", 1)]:
        with pytest.raises(answer.UnusableError):
            answer.vector(spoilt, "uuid")


def test_warnings_behind_the_series_spoil_them_all() -> None:
    whole = answered()
    with pytest.raises(answer.UnusableError) as refused:
        answer.vector(json.dumps({**whole, "warnings": ["a shard is missing"]}).encode(), "uuid")
    assert refused.value.reason == "partial"


async def test_an_empty_answer_is_a_fault_unless_the_query_is_optional(prometheus: FakePrometheus) -> None:
    def dirty(optional: bool) -> Query:
        return Query(
            quantity=Quantity.DIRTY_BYTES_S, kind=Kind.VM, promql="none", label="uuid", age="none", optional=optional
        )

    for optional, reasons in ((False, ["empty"]), (True, [])):
        collector = PrometheusCollector(Server(url=prometheus.url), (dirty(optional),), LABELS)
        await collector.start()
        batches, faults = await collector.collect(SOON)
        await collector.stop()
        assert (batches, [fault.reason for fault in faults]) == ([], reasons)


async def test_many_faults_of_one_kind_are_told_in_a_bounded_number(
    collector: PrometheusCollector, prometheus: FakePrometheus
) -> None:
    prometheus.knows("vcpus", "uuid", **{f"vm-{n}": "NaN" for n in range(40)})
    _, faults = await collector.collect(SOON)
    assert len(faults) == 21
    assert faults[-1].detail.startswith("cpu_vcpus: 20 more names")


async def test_basic_authentication_sends_user_and_password(prometheus: FakePrometheus) -> None:
    server = Server(url=prometheus.url + "/", username="gdcc", password=lambda: "pw")
    collector = PrometheusCollector(server, (CPU,), LABELS)
    await collector.start()
    await collector.collect(SOON)
    await collector.stop()
    assert set(prometheus.authorization) == {"Basic Z2RjYzpwdw=="}


async def test_a_secret_that_cannot_be_read_is_a_fault(prometheus: FakePrometheus) -> None:
    def unreadable() -> str:
        raise InputError("the secret cannot be read", where="/run/secrets/prometheus")

    collector = PrometheusCollector(Server(url=prometheus.url, token=unreadable), (CPU,), LABELS)
    await collector.start()
    _, faults = await collector.collect(SOON)
    await collector.stop()
    assert [fault.reason for fault in faults] == ["auth"]
    assert prometheus.asked == []


@pytest.mark.parametrize("url", ["prometheus:9090", "ftp://x", "http://user:pw@prometheus:9090"])
def test_a_url_that_is_none_or_holds_a_password_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        Server(url=url)


def test_a_servers_repr_shows_no_secret() -> None:
    assert "lambda" not in repr(Server(url="http://x", token=lambda: SECRET))
