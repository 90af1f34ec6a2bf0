"""The one web application that is a whole OpenStack."""

from aiohttp import web

from controller.twin.openstack.cloud import Cloud
from controller.twin.openstack.definitions import Definitions
from controller.twin.openstack.gate import gate
from controller.twin.openstack.glance import Glance
from controller.twin.openstack.hosts import Hosts
from controller.twin.openstack.keystone import Keystone
from controller.twin.openstack.migrations import Migrations
from controller.twin.openstack.neutron import Neutron
from controller.twin.openstack.placement import Placement
from controller.twin.openstack.servers import Servers


def application(cloud: Cloud) -> web.Application:
    """An application that answers for all of one cloud's services."""
    app = web.Application(middlewares=[gate(cloud)])
    for room in (Keystone, Definitions, Servers, Migrations, Hosts, Placement, Neutron, Glance):
        app.add_routes(room(cloud).routes())
    return app
