#!/usr/bin/python
"""The firmware that a BMC tells of its server, and one component's update."""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redfish import CONNECTION, RedfishError, Session

DOCUMENTATION = r"""
---
module: redfish_firmware
short_description: The firmware that a BMC tells of its server, and one component's update
description:
  - Reads the version of each component of UpdateService's inventory, by its Id, and as BIOS and BMC what the system and
    its manager say of themselves.
  - With O(component), updates that one by SimpleUpdate, unless it has O(version) already, waits for the BMC's task and
    then for the version.
options:
  url:
    description: The BMC, as https://address.
    type: str
    required: true
  user:
    description: Who logs in.
    type: str
    required: true
  password:
    description: With which password.
    type: str
    required: true
  ca_path:
    description: The CA that signed the BMC's certificate; the system's where not given.
    type: path
  timeout_s:
    description: Seconds to wait for each answer.
    type: int
    default: 30
  component:
    description: What is to be updated.
    type: str
  version:
    description: The version that it has afterwards.
    type: str
  image_url:
    description: Where the BMC fetches the image.
    type: str
  waits_for_boot:
    description: The BMC installs the image at the server's next boot; the task is done once it is there for that.
    type: bool
    default: false
  update_timeout_s:
    description: Seconds until the update has to be done.
    type: int
    default: 1800
  poll_s:
    description: Seconds between two looks at it.
    type: int
    default: 10
author: GDCC Control
"""

EXAMPLES = r"""
- name: Read what is installed
  redfish_firmware:
    url: https://192.0.2.7
    user: gdcc
    password: "{{ bmc_password }}"
  delegate_to: localhost
"""

RETURN = r"""
versions:
  description: Versions by component.
  returned: success
  type: dict
"""

NOT_FOUND = 404
STAGED = {"Pending", "Suspended"}
DONE, FAILED = {"Completed"}, {"Exception", "Killed", "Cancelled", "Interrupted"}


def components(session):
    """Each component's version, and the path by which an update names it."""
    found = {}
    for name, collection, version in (("BIOS", "Systems", "BiosVersion"), ("BMC", "Managers", "FirmwareVersion")):
        path = session.follow([collection, 0])
        told = session.get(path).get(version)
        if told:
            found[name] = {"version": told, "target": path}
    try:
        listed = session.members(session.follow(["UpdateService", "FirmwareInventory"]))
    except RedfishError as error:
        if error.status != NOT_FOUND:
            raise
        return found
    for path, one in listed.items():
        found[one["Id"]] = {"version": one.get("Version") or "", "target": path}
    return found


def update(session, target, params):
    """Has the BMC fetch and install the image; returns when its task ended. Raises RedfishError."""
    service = session.get(session.follow(["UpdateService"]))
    action = service.get("Actions", {}).get("#UpdateService.SimpleUpdate", {}).get("target")
    if action is None:
        raise RedfishError(f"{session.url} offers no SimpleUpdate")
    answer, headers = session.post(action, {"ImageURI": params["image_url"], "Targets": [target]})
    task = answer.get("@odata.id") or headers.get("location")
    if task:
        _await(session, task, params)


def _await(session, task, params):
    """Waits for a task. A BMC that restarts does not answer for a while: that is no failure."""
    until, last = time.monotonic() + params["update_timeout_s"], "nothing"
    while time.monotonic() < until:
        try:
            told = session.get(task)
        except RedfishError as error:
            if error.status == NOT_FOUND:
                return
            if error.status is not None:
                raise
            told, last = {}, str(error)
        state = told.get("TaskState")
        if state in DONE or (told and state is None) or (params["waits_for_boot"] and state in STAGED):
            return
        if state in FAILED:
            words = " ".join(str(one.get("Message", "")) for one in told.get("Messages", []))
            raise RedfishError(f"the update of {params['component']} ended as {state}: {words}")
        last = state or last
        time.sleep(params["poll_s"])
    raise RedfishError(
        f"the update of {params['component']} is not done after {params['update_timeout_s']} s: last seen {last}"
    )


def updated(session, found, params):
    """Brings one component to its version; whether that took anything. Raises RedfishError."""
    name, wanted = params["component"], params["version"]
    if name not in found:
        raise RedfishError(f"{session.url} knows no component {name}: it has {', '.join(sorted(found))}")
    if found[name]["version"] == wanted:
        return False
    update(session, found[name]["target"], params)
    if params["waits_for_boot"]:
        return True
    now = components(session).get(name, {}).get("version")
    if now != wanted:
        raise RedfishError(f"{name} was updated from {params['image_url']} to {wanted}, and says {now}")
    return True


def main():
    module = AnsibleModule(
        argument_spec={
            **CONNECTION,
            "component": {"type": "str"},
            "version": {"type": "str"},
            "image_url": {"type": "str"},
            "waits_for_boot": {"type": "bool", "default": False},
            "update_timeout_s": {"type": "int", "default": 1800},
            "poll_s": {"type": "int", "default": 10},
        },
        required_together=[("component", "version", "image_url")],
        supports_check_mode=True,
    )
    name, wanted = module.params["component"], module.params["version"]
    changed = False
    try:
        session = Session(module.params)
        found = components(session)
        was = found.get(name, {}).get("version")
        if name and module.check_mode:
            changed = was != wanted
        elif name:
            changed = updated(session, found, module.params)
            found = components(session) if changed else found
    except RedfishError as error:
        module.fail_json(msg=str(error))
    diff = {"before": f"{name} {was}\n", "after": f"{name} {wanted}\n"} if name else {}
    module.exit_json(changed=changed, versions={one: each["version"] for one, each in found.items()}, diff=diff)


if __name__ == "__main__":
    main()
