#!/usr/bin/python
"""Properties of a BMC's resource, or a member of one of its collections."""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redfish import CONNECTION, RedfishError, Session, differences, merged

DOCUMENTATION = r"""
---
module: redfish_resource
short_description: Properties of a BMC's resource, or a member of one of its collections
description:
  - Compares the declared properties with those that the BMC tells, and changes only what differs, so that --check and
    --diff name each difference. community.general's redfish modules do not run under --check.
  - A change is read back; a BMC that takes it and goes on saying something else fails the task.
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
  resource:
    description: The way there from the service's root, links by name and members by number.
    type: list
    elements: str
    required: true
  match:
    description: The resource is a collection, and its member with these properties is meant.
    type: dict
  state:
    description: Whether that member is there.
    type: str
    choices: [present, absent]
    default: present
  properties:
    description: What is declared.
    type: dict
    default: {}
  secrets:
    description: Properties that a BMC never tells; sent where the member is made, and with O(send_secrets).
    type: dict
    default: {}
  send_secrets:
    description: Send the secrets in any case.
    type: bool
    default: false
  vacant:
    description: The properties of a member that is free to be used, of BMCs whose collection takes no new ones.
    type: dict
  settle_s:
    description: Seconds within which a change has to be read back.
    type: int
    default: 20
author: GDCC Control
"""

EXAMPLES = r"""
- name: Give the BMC its clock
  redfish_resource:
    url: https://192.0.2.7
    user: gdcc
    password: "{{ bmc_password }}"
    resource: [Managers, 0, NetworkProtocol]
    properties: {NTP: {ProtocolEnabled: true, NTPServers: [192.0.2.1]}}
  delegate_to: localhost
"""

RETURN = r"""
differences:
  description: Each property that was not as declared.
  returned: always
  type: list
  elements: dict
found:
  description: The resource as it was found; empty where it is not there.
  returned: always
  type: dict
"""

METHOD_NOT_ALLOWED = 405


def resource_path(session, params):
    """The resource that is meant; None where a collection has no such member. And the collection."""
    path = session.follow(params["resource"])
    if params["match"] is None:
        return path, None
    found = member(session, path, params["match"])
    return found, path


def member(session, collection, wanted):
    """The path of the collection's member with these properties, None where there is none."""
    for path, found in session.members(collection).items():
        if not differences(wanted, found):
            return path
    return None


def create(session, collection, params):
    """Makes the member: by POST, or in a vacant place where the collection takes none. Its path."""
    whole = merged(merged(params["match"], params["properties"]), params["secrets"])
    try:
        answer, headers = session.post(collection, whole)
    except RedfishError as error:
        if error.status != METHOD_NOT_ALLOWED or params["vacant"] is None:
            raise
        place = member(session, collection, params["vacant"])
        if place is None:
            raise RedfishError(f"{session.url}{collection} takes no new member, and no place in it is free") from error
        session.patch(place, whole)
        return place
    return answer.get("@odata.id") or headers.get("location") or member(session, collection, params["match"])


def remains(session, path, declared, settle_s):
    """What still differs after a change, when it had time to settle."""
    until = time.monotonic() + settle_s
    while (left := differences(declared, session.get(path))) and time.monotonic() < until:
        time.sleep(0.5)
    return left


def apply(session, path, collection, params, found):
    """Changes the BMC. Raises RedfishError."""
    if params["state"] == "absent":
        session.delete(path)
        return
    if path is None:
        path = create(session, collection, params)
    else:
        secrets = params["secrets"] if params["send_secrets"] else {}
        session.patch(path, merged(params["properties"] if found else {}, secrets))
    if left := remains(session, path, params["properties"], params["settle_s"]):
        names = ", ".join(f"{one['property']} as {one['found']!r}" for one in left)
        raise RedfishError(f"{session.url}{path} took the change and still gives {names}")


def compare(resource, params):
    """What differs from what is declared."""
    what = " ".join(f"{name}={value}" for name, value in (params["match"] or {}).items())
    if params["state"] == "absent":
        return [{"property": what, "declared": "absent", "found": "present"}] if resource else []
    if not resource:
        return [{"property": what, "declared": "present", "found": "absent"}]
    return differences(params["properties"], resource)


def main():
    module = AnsibleModule(
        argument_spec={
            **CONNECTION,
            "resource": {"type": "list", "elements": "str", "required": True},
            "match": {"type": "dict"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "properties": {"type": "dict", "default": {}},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
            "send_secrets": {"type": "bool", "default": False, "no_log": False},
            "vacant": {"type": "dict"},
            "settle_s": {"type": "int", "default": 20},
        },
        required_if=[("state", "absent", ("match",))],
        supports_check_mode=True,
    )
    params = module.params
    try:
        session = Session(params)
        path, collection = resource_path(session, params)
        resource = session.get(path) if path else {}
        found = compare(resource, params)
        sends = params["state"] == "present" and params["send_secrets"]
        if (found or sends) and not module.check_mode:
            apply(session, path, collection, params, found)
    except RedfishError as error:
        module.fail_json(msg=str(error))
    lines = {key: "".join(f"{one['property']}: {one[key]}\n" for one in found) for key in ("found", "declared")}
    module.exit_json(
        changed=bool(found or sends),
        differences=found,
        found=resource,
        diff={"before": lines["found"], "after": lines["declared"]},
    )


if __name__ == "__main__":
    main()
