"""Rows of the APIs, understood or refused in words."""

from datetime import UTC, datetime

import pytest

from controller.adapters.openstack import answers, catalog, parse
from controller.adapters.openstack.rest import marker_after, next_marker
from tests.fakes.openstack_http import migration_row, server_row


def test_a_server_is_read_with_its_flavor_and_its_zone() -> None:
    found = parse.server(server_row("s1", pinned_availability_zone="az2"), zone_shown=True)
    assert (found.vcpus, found.memory_mib, found.disk_gib, found.pinned_zone) == (2, 2048, 10, "az2")
    assert found.updated_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_server_on_a_volume_holds_no_root_disk_but_ephemeral_disk_and_swap_rounded_up() -> None:
    row = server_row("s1", image="")
    row["flavor"] |= {"ephemeral": 3, "swap": 1025}
    assert parse.server(row, zone_shown=True).disk_gib == 5


def test_a_shelved_server_is_on_no_host() -> None:
    row = server_row("s1", status="SHELVED_OFFLOADED", **{"OS-EXT-SRV-ATTR:host": None})
    assert parse.server(row, zone_shown=True).host is None


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("id", None, "id is None, not a text"),
        ("locked", "false", "locked is 'false', not true or false"),
        ("flavor", [], "flavor is [], not a table"),
        ("updated", "yesterday", "updated is 'yesterday', not a time"),
    ],
)
def test_a_value_of_another_kind_makes_the_row_a_flaw(key: str, value: object, said: str) -> None:
    with pytest.raises(parse.RowError) as caught:
        parse.server(server_row("s1", **{key: value}), zone_shown=True)
    assert caught.value.what == said


def test_extra_specs_that_are_not_shown_make_the_row_a_flaw_that_names_the_policy() -> None:
    row = server_row("s1")
    del row["flavor"]["extra_specs"]
    with pytest.raises(parse.RowError, match="flavor-extra-specs"):
        parse.server(row, zone_shown=True)


def test_a_provider_whose_ratio_is_no_number_above_zero_is_a_flaw() -> None:
    body = {"inventories": {"VCPU": {"total": 4, "reserved": 0, "allocation_ratio": 0.0}}}
    with pytest.raises(parse.RowError, match="allocation_ratio"):
        parse.inventory(body)


def test_a_servers_own_migration_counts_memory_and_names_its_server_otherwise() -> None:
    row = migration_row(3, server_uuid="s9", memory_total_bytes=8, memory_remaining_bytes=2, memory_processed_bytes=6)
    del row["instance_uuid"], row["migration_type"]
    found = parse.migration(row)
    assert (found.server_id, found.type, found.memory_remaining_bytes) == ("s9", "live-migration", 2)


def test_a_refused_migration_has_no_target() -> None:
    assert parse.migration(migration_row(3, status="error", dest_compute=None)).target is None


def test_a_marker_is_taken_from_the_next_link_whatever_host_it_names() -> None:
    assert next_marker([{"rel": "next", "href": "http://wrong:1/v2.1/servers/detail?limit=2&marker=abc"}]) == "abc"
    assert next_marker([{"rel": "self", "href": "http://x?marker=abc"}]) is None
    assert next_marker(None) is None


def test_glance_says_its_next_page_without_a_list_of_links() -> None:
    assert marker_after({"images": [], "next": "/v2/images?marker=abc&limit=2"}, "images") == "abc"
    assert marker_after({"images": [], "first": "/v2/images?limit=2"}, "images") is None
    assert marker_after({"servers_links": [{"rel": "next", "href": "http://x?marker=m"}]}, "servers") == "m"


def test_keystone_says_its_next_page_in_a_table_of_links() -> None:
    links = {"next": "http://x/v3/projects?limit=1000&marker=abc", "self": "http://x/v3/projects", "previous": None}
    assert marker_after({"projects": [], "links": links}, "projects") == "abc"
    assert marker_after({"projects": [], "links": {**links, "next": None}}, "projects") is None


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert answers.retry_after_s("12", now) == 12.0
    assert answers.retry_after_s("Thu, 01 Jan 2026 00:00:30 GMT", now) == 30.0
    assert answers.retry_after_s("soon", now) == 0.0
    assert answers.retry_after_s(None, now) == 0.0


def test_an_errors_own_words_are_found_in_every_services_shape() -> None:
    assert answers.complaint('{"conflictingRequest": {"code": 409, "message": "busy"}}') == "busy"
    assert answers.complaint('{"errors": [{"status": 400, "title": "Bad", "detail": "no\\n such trait"}]}') == (
        "no such trait"
    )
    assert answers.complaint('{"NeutronError": {"type": "X", "message": "gone"}}') == "gone"
    assert answers.complaint("<html> bad   gateway </html>") == "<html> bad gateway </html>"


def test_a_catalog_is_told_in_the_inventorys_words() -> None:
    found = catalog.catalog(
        [{"name": "m1", "vcpus": 2, "ram": 2048, "disk": 10, "extra_specs": {"a": "b"}}],
        [{"name": "fast", "extra_specs": {"volume_backend_name": "nvme"}}],
        [
            {
                "id": "n", "name": "prov", "provider:network_type": "vlan",
                "provider:physical_network": "physnet1", "provider:segmentation_id": 7,
            },
            {"id": "o", "name": "own", "provider:network_type": "vxlan", "provider:segmentation_id": 9},
        ],
        [{"network_id": "n", "cidr": "10.0.0.0/24"}],
    )  # fmt: skip
    assert found.flavors[0]["memory_mib"] == 2048
    assert found.volume_types[0]["backend"] == "nvme"
    assert [(row["cidr"], row["vlan"]) for row in found.networks] == [(None, None), ("10.0.0.0/24", 7)]
