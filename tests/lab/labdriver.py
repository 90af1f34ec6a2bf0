"""The lab's hypervisor: Nova's fake driver, made to behave over time as a real one does.

What it adds to nova.virt.fake: hosts of the sizes asked for; guests that outlive a restart of nova-compute, and are
paused, suspended or shut off where Nova says so; and live migrations that take the time that memory, dirty rate and
link give them, report their progress on the migration record, and can be aborted, forced, stalled or failed.

Two JSON files in the lab's directory (the environment's LAB), read again at every use, all keys optional:
    settings.json  {"hosts": {"cmp1": {"vcpus": 64, "memory_mb": 262144, "local_gb": 4000}},
                    "link_mib_s": 1200, "blackout_s": 0.3, "give_up_s": 60,
                    "guests": {"NAME or UUID": {"fault": "check" | "pre" | "copy" | "stall" | "error" | "upload"}}}
    loads.json     {"guests": {"NAME or UUID": {"dirty_mib_s": 300}}}   (and what world.py takes from it)
Faults: check is refused by the API (400); pre and copy fail and leave the guest where it was; stall makes no progress;
error breaks the migration and leaves the server in ERROR; upload keeps a snapshot's task under way for as long as it
stands. A guest whose dirty rate is above the link's never converges:
it ends in `give_up_s` (as by libvirt's completion timeout), by an abort, or by force-complete.
LAB_BOOT_ID, where set, names the file that tells one boot of the host from another: guests are shut down by it. Where
it is not set, guests outlive everything.
Nova loads drivers from nova/virt alone, so this file is copied there; written for nova 34.
"""

import json
import os
import threading
import time
from pathlib import Path

from nova import exception
from nova.compute import power_state, vm_states
from nova.virt import fake

TICK_S = 0.25
REPORT_S = 0.5
MIB = 1 << 20


def read(name):
    """One of the lab's JSON files, empty where it is not there (yet)."""
    try:
        return json.loads(Path(os.environ["LAB"], name).read_text())
    except (FileNotFoundError, ValueError):
        return {}


def behaviour(instance):
    """What was asked of this guest: its load, and over it its settings."""
    found = {}
    for name in ("loads.json", "settings.json"):
        guests = read(name).get("guests", {})
        found |= guests.get(instance.uuid) or guests.get(instance.display_name) or {}
    return found


class Copy:
    """A guest's memory on its way to another host."""

    def __init__(self, instance, migration):
        self.instance, self.migration = instance, migration
        self.total = instance.flavor.memory_mb * MIB
        self.remaining, self.processed = self.total, 0
        self.started = self.at = time.monotonic()
        self.reported = None
        self.aborted, self.forced = threading.Event(), threading.Event()

    def report(self):
        self.migration.memory_total = self.total
        self.migration.memory_remaining = int(self.remaining)
        self.migration.memory_processed = int(self.processed)
        self.migration.save()
        self.reported = time.monotonic()

    def step(self):
        """One tick: what the link carried, less what the guest wrote meanwhile; how it ended, None if not yet.

        A tick is as long as it took: on a busy machine a copy takes no longer.
        """
        lab, guest = read("settings.json"), behaviour(self.instance)
        link, dirty = lab.get("link_mib_s", 1200) * MIB, guest.get("dirty_mib_s", 50) * MIB
        fault = guest.get("fault")
        if self.reported is None or time.monotonic() - self.reported >= REPORT_S:
            self.report()
        if fault == "copy":
            return "failed"
        if fault == "error":
            raise exception.InternalError("the lab was told to break this guest's migration")
        if self.forced.is_set() or (fault != "stall" and self.remaining <= link * lab.get("blackout_s", 0.3)):
            return "completed"
        if self.aborted.is_set() or time.monotonic() - self.started > lab.get("give_up_s", 60):
            return "cancelled"
        time.sleep(TICK_S)
        now = time.monotonic()
        passed, self.at = now - self.at, now
        self.processed += min(self.remaining, link * passed)  # a guest that stalls writes all of it again
        if fault != "stall":
            self.remaining = min(self.total, max(0, self.remaining - link * passed) + dirty * passed)
        return None


class LabDriver(fake.FakeDriverWithoutFakeNodes):
    def init_host(self, host):
        super().init_host(host)
        size = read("settings.json").get("hosts", {}).get(host, {})
        self.vcpus, self.memory_mb = size.get("vcpus", 64), size.get("memory_mb", 262144)
        self.local_gb = size.get("local_gb", 4000)
        self.resources = fake.Resources(self.vcpus, self.memory_mb, self.local_gb)
        self._copies = {}
        self._guests = Path(fake.CONF.state_path, "guests")
        self._guests.mkdir(parents=True, exist_ok=True)
        rebooted = self._booted_since()
        for file in self._guests.glob("*-*"):
            guest = json.loads(file.read_text())
            if rebooted:
                guest["state"] = power_state.SHUTDOWN
                file.write_text(json.dumps(guest))
            self.instances[file.name] = fake.FakeInstance(guest["name"], guest["state"], file.name)
            self.resources.claim(*guest["claim"])

    def _booted_since(self):
        """Whether the host is in another boot than when it was last asked; not, where no boot was ever known."""
        if "LAB_BOOT_ID" not in os.environ:
            return False
        known, now = Path(fake.CONF.state_path, "boot_id"), Path(os.environ["LAB_BOOT_ID"]).read_text()
        before = known.read_text() if known.exists() else now
        known.write_text(now)
        return now != before

    def _keep(self, instance):
        guest, flavor = self.instances[instance.uuid], instance.flavor
        kept = {
            "name": guest.name,
            "display_name": instance.display_name,
            "state": guest.state,
            "claim": [flavor.vcpus, flavor.memory_mb, flavor.root_gb],
        }
        part = self._guests.with_name(f"{instance.uuid}.part")
        part.write_text(json.dumps(kept))
        part.replace(self._guests / instance.uuid)

    def spawn(self, context, instance, *args, **kwargs):
        super().spawn(context, instance, *args, **kwargs)
        self._keep(instance)

    def _turn(self, instance, state):
        self.instances[instance.uuid].state = state
        self._keep(instance)

    def pause(self, instance):
        self._turn(instance, power_state.PAUSED)

    def unpause(self, instance):
        self._turn(instance, power_state.RUNNING)

    def suspend(self, context, instance):
        self._turn(instance, power_state.SUSPENDED)

    def resume(self, context, instance, *args, **kwargs):
        self._turn(instance, power_state.RUNNING)

    def snapshot(self, context, instance, image_id, update_task_state):
        super().snapshot(context, instance, image_id, update_task_state)
        while behaviour(instance).get("fault") == "upload":
            time.sleep(TICK_S)

    def power_off(self, instance, *args, **kwargs):
        super().power_off(instance, *args, **kwargs)
        self._keep(instance)

    def power_on(self, context, instance, *args, **kwargs):
        super().power_on(context, instance, *args, **kwargs)
        self._keep(instance)

    def finish_migration(self, context, migration, instance, disk_info, network_info, image_meta, resize_instance,
                         allocations, block_device_info=None, power_on=True, share_info=None):  # fmt: skip
        super().finish_migration(
            context, migration, instance, disk_info, network_info, image_meta, resize_instance, allocations,
            block_device_info, power_on, share_info,
        )  # fmt: skip
        if not power_on:
            self.power_off(instance)

    def resume_state_on_host_boot(self, context, instance, *args, **kwargs):
        self.power_on(context, instance, None)

    def destroy(self, context, instance, *args, **kwargs):
        super().destroy(context, instance, *args, **kwargs)
        self._guests.joinpath(instance.uuid).unlink(missing_ok=True)

    def post_live_migration(self, context, instance, block_device_info, migrate_data=None):
        self.destroy(context, instance, None)

    def post_live_migration_at_destination(self, context, instance, *args, **kwargs):
        super().post_live_migration_at_destination(context, instance, *args, **kwargs)
        if instance.vm_state == vm_states.PAUSED:
            self.pause(instance)

    def check_can_live_migrate_source(self, context, instance, dest_check_data, block_device_info=None):
        if behaviour(instance).get("fault") == "check":
            raise exception.MigrationPreCheckError(reason="the lab was told to refuse this guest")
        return super().check_can_live_migrate_source(context, instance, dest_check_data, block_device_info)

    def pre_live_migration(self, context, instance, *args, **kwargs):
        if behaviour(instance).get("fault") == "pre":
            raise exception.InternalError("the lab was told to fail this guest's preparation")
        return super().pre_live_migration(context, instance, *args, **kwargs)

    def live_migration(
        self, context, instance, dest, post_method, recover_method, block_migration=False, migrate_data=None
    ):
        copy = self._copies[instance.uuid] = Copy(instance, migrate_data.migration)
        try:
            while (end := copy.step()) is None:
                pass
        except Exception:
            recover_method(context, instance, dest, migrate_data)
            raise
        finally:
            del self._copies[instance.uuid]
        if end == "completed":
            post_method(context, instance, dest, block_migration, migrate_data)
        elif end == "cancelled":
            recover_method(context, instance, dest, migrate_data, migration_status="cancelled")
        else:
            recover_method(context, instance, dest, migrate_data)

    def live_migration_abort(self, instance):
        self._copies[instance.uuid].aborted.set()

    def live_migration_force_complete(self, instance):
        self._copies[instance.uuid].forced.set()
