"""A campaign over the real loop, planner and drains: servers are moved live before their host is worked on."""

import asyncio
from datetime import timedelta
from pathlib import Path

from controller.engine.campaign.conductor import Conductor
from controller.engine.campaign.desk import CampaignDesk
from controller.engine.campaign.orders import Variables
from controller.model.campaign import HostState, Limits, Order, Progress, State, Work
from controller.model.ids import HostName
from tests.fakes.campaigns import FakePlaybooks, Machine, World
from tests.fakes.turning import Turning


class Watched(FakePlaybooks):
    """Notes what stands on a host, and whether it is in service, when its work begins."""

    def __init__(self, site: Turning, world: World) -> None:
        super().__init__(world, site.rig.clock)
        self._site = site
        self.found: list[tuple[str, int, bool]] = []

    async def run(self, run, progress, ready=None):  # type: ignore[no-untyped-def]
        (host,) = run.hosts
        servers = [server for server in self._site.cloud.servers.values() if server.host == host]
        self.found.append((run.playbook, len(servers), self._site.cloud.services[host].enabled))
        return await super().run(run, progress)


async def test_servers_are_moved_off_before_the_work_and_the_host_is_enabled_after_it(tmp_path: Path) -> None:
    site = Turning(tmp_path, servers=2)
    world = World({host: Machine() for host in site.cloud.services})
    playbooks = Watched(site, world)
    records = site.rig.journal.campaigns
    conductor = Conductor(
        records=records,
        journal=site.rig.journal,
        fleet=site.fleet,
        playbooks=playbooks,
        clock=site.rig.clock,
        seen=lambda: site.loop.memory.seen,
        policy=site.policy,
    )
    desk = CampaignDesk(
        records=records,
        journal=site.rig.journal,
        clock=site.rig.clock,
        conductor=conductor,
        estate=lambda: site.rig.estate,
        playbooks=lambda: {"host-patch.yml"},
        variables=Variables,
        tags=lambda playbook: (),
    )
    order = Order(name="p1", hosts=("c1", "c2"), work=Work(playbook="host-patch.yml"), limits=Limits(hosts_at_once=1))
    desk.new(order, "op")
    desk.start("p1", "op")
    task = asyncio.create_task(conductor.run())
    for _ in range(200):
        await site.turns()
        if state(desk).campaign.state is not State.RUNNING:
            break
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    shown = state(desk)
    assert shown.campaign.state is State.DONE, (shown.campaign.why, shown.waits)
    assert [member.state for member in shown.members] == [HostState.DONE, HostState.DONE]
    assert all(servers == 0 and not enabled for _, servers, enabled in playbooks.found)
    assert [name for name, _, _ in playbooks.found] == [
        "host-boot-id.yml",
        "host-patch.yml",
        "host-reboot.yml",
        "host-verify.yml",
    ] * 2
    assert all(service.enabled for service in site.cloud.services.values())
    assert {world.done[HostName(host), "reboot"] for host in ("c1", "c2")} == {1}
    moved = site.started()
    assert [sorted(moved[:2]), sorted(moved[2:])] == [[("vm-1", to), ("vm-2", to)] for to in ("c2", "c1")]
    assert shown.host_time is not None and shown.host_time > timedelta(seconds=60)
    site.rig.journal.close_store()


def state(desk: CampaignDesk) -> Progress:
    found = desk.progress("p1")
    assert found is not None
    return found
