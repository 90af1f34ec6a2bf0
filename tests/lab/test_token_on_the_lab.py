"""Keystone's tokens end mid-run: the real Nova refuses, a new token is fetched, and a change is made once.

The services keep a token's validation for five minutes, so memcached forgets all of them first.
"""

import socket
from collections.abc import AsyncIterator

import pytest

from controller.adapters.openstack import OpenStackCloud
from controller.adapters.openstack.rest import Rest
from controller.adapters.openstack.session import Connection, open_connection
from controller.model.ids import HostName
from tests.lab.fixtures import Lab

HOST = HostName("cmp1")


@pytest.fixture
async def reached(lab: Lab) -> AsyncIterator[tuple[OpenStackCloud, Connection]]:
    """A cloud that has made its first look, and the connection that holds its token."""
    connection = open_connection(None)
    cloud = OpenStackCloud(Rest(connection))
    await cloud.facts()
    yield cloud, connection
    await cloud.close()


def end_token(lab: Lab, connection: Connection) -> str:
    token = connection.auth_headers()["X-Auth-Token"]
    lab.admin.revoke(token)
    with socket.create_connection(("127.0.0.1", 11211), timeout=5) as memcached:
        memcached.sendall(b"flush_all\r\n")
        assert memcached.recv(64) == b"OK\r\n"
    return token


async def test_a_look_goes_on_with_a_new_token(lab: Lab, reached: tuple[OpenStackCloud, Connection]) -> None:
    cloud, connection = reached
    ended = end_token(lab, connection)
    facts = await cloud.facts()
    assert len(facts.servers) == 30 and facts.flaws == ()
    assert connection.auth_headers()["X-Auth-Token"] != ended


async def test_a_change_that_the_old_token_stopped_at_the_door_is_made(
    lab: Lab, reached: tuple[OpenStackCloud, Connection]
) -> None:
    cloud, connection = reached
    service = await cloud.service(HOST)
    assert service is not None
    ended = end_token(lab, connection)
    await cloud.disable_service(service, "a test of tokens")
    assert connection.auth_headers()["X-Auth-Token"] != ended
    disabled = await cloud.service(HOST)
    assert disabled is not None and disabled.disabled_reason == "a test of tokens"
    await cloud.enable_service(service)
