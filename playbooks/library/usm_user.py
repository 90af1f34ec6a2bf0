#!/usr/bin/python
"""The one SNMPv3 user that a host's snmpd knows, kept in the file that snmpd itself rewrites."""

import binascii
import hashlib
import os
import pathlib
import re
import shlex

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
---
module: usm_user
short_description: The one SNMPv3 user that a host's snmpd knows
description:
  - snmpd keeps its users in its persistent file as keys localized to its engine id, and rewrites that file when it
    stops. The user's row is compared with the keys that the passphrases give; only where they differ is snmpd stopped,
    the row written and snmpd started again. Every other user's row is removed.
  - The passphrases reach neither a command line nor the file, which holds localized keys alone.
options:
  name:
    description: The user's name.
    type: str
    required: true
  auth_protocol:
    description: How its messages are authenticated.
    type: str
    choices: [sha256, sha384, sha512]
    default: sha256
  auth_passphrase:
    description: The secret that its authentication key is made from, at least 8 characters.
    type: str
    required: true
  priv_passphrase:
    description: The secret that its AES-128 key is made from, at least 8 characters.
    type: str
    required: true
  path:
    description: snmpd's persistent file.
    type: path
    default: /var/lib/snmp/snmpd.conf
  service:
    description: snmpd's unit.
    type: str
    default: snmpd.service
author: GDCC Control
"""

EXAMPLES = r"""
- name: Let the controller read this host
  usm_user:
    name: gdcc-cmp0001
    auth_passphrase: "{{ monitoring_snmp_auth_passphrase }}"
    priv_passphrase: "{{ monitoring_snmp_priv_passphrase }}"
"""

RETURN = r"""
reason:
  description: What differed, empty where nothing did.
  returned: always
  type: str
"""

AUTH_OIDS = {
    "sha256": ".1.3.6.1.6.3.10.1.1.5",
    "sha384": ".1.3.6.1.6.3.10.1.1.6",
    "sha512": ".1.3.6.1.6.3.10.1.1.7",
}
AES128_OID = ".1.3.6.1.6.3.10.1.2.4"
AES128_BYTES = 16
SHORTEST_PASSPHRASE = 8
ROW = re.compile(r"^usmUser\s")
ASKED = re.compile(r"^createUser\s")
ENGINE_ID = re.compile(r"^oldEngineID\s+0x([0-9a-fA-F]+)\s*$", re.MULTILINE)


def localized(passphrase, engine_id, algorithm):
    """The key of RFC 3414, appendix A.2, for one engine."""
    words = passphrase.encode()
    stretched = (words * (1048576 // len(words) + 1))[:1048576]
    key = hashlib.new(algorithm, stretched).digest()
    return hashlib.new(algorithm, key + engine_id + key).digest()


def row(name, algorithm, auth_key, priv_key, engine_id):
    """The user's line as snmpd reads it."""
    texts = [binascii.hexlify(each).decode() for each in (engine_id, auth_key, priv_key)]
    engine, auth, priv = (f"0x{text}" for text in texts)
    return f'usmUser 1 3 {engine} "{name}" "{name}" NULL {AUTH_OIDS[algorithm]} {auth} {AES128_OID} {priv} 0x'


def _said(field):
    """A field's bytes, which snmpd writes as hexadecimal or in quotes."""
    if field.startswith("0x"):
        return binascii.unhexlify(field[2:]).rstrip(b"\0")
    return field.encode()


def difference(text, wanted, name):
    """What about the users in `text` is not as wanted; empty where all is."""
    rows = [shlex.split(line) for line in text.splitlines() if ROW.match(line)]
    mine = [fields for fields in rows if len(fields) > 10 and _said(fields[4]) == name.encode()]
    if not mine:
        return f"snmpd knows no user {name}"
    if len(rows) > len(mine) or any(ASKED.match(line) for line in text.splitlines()):
        return f"snmpd knows users beside {name}"
    ours, expected = mine[0], shlex.split(wanted)
    if ours[3].lower() != expected[3].lower():
        return f"the keys of user {name} are for another engine id"
    if (ours[7], ours[9]) != (expected[7], expected[9]):
        return f"user {name} has other protocols"
    if ours[8].lower() != expected[8] or not ours[10].lower().startswith(expected[10]):
        return f"user {name} has other keys"
    return ""


def rewritten(text, wanted):
    """The file with that one user."""
    kept = [line for line in text.splitlines() if not ROW.match(line) and not ASKED.match(line)]
    return "\n".join([*kept, wanted]) + "\n"


def _wanted(params, text):
    """The user's row for this engine. Raises ValueError, with a sentence."""
    for field in ("auth_passphrase", "priv_passphrase"):
        if len(params[field]) < SHORTEST_PASSPHRASE:
            raise ValueError(f"{field} has less than {SHORTEST_PASSPHRASE} characters, the fewest that SNMPv3 takes")
    found = ENGINE_ID.search(text)
    if found is None:
        raise ValueError(f"{params['path']} holds no engine id: snmpd has not run on this host yet")
    engine_id, algorithm = binascii.unhexlify(found.group(1)), params["auth_protocol"]
    auth = localized(params["auth_passphrase"], engine_id, algorithm)
    priv = localized(params["priv_passphrase"], engine_id, algorithm)[:AES128_BYTES]
    return row(params["name"], algorithm, auth, priv, engine_id)


def _replace(module, path):
    """Writes the row while snmpd does not run, since it writes its own copy when it stops."""
    service = module.params["service"]
    module.run_command(["systemctl", "stop", service], check_rc=True)
    try:
        text = path.read_text()
        owner = path.stat()
        fresh = path.with_name(path.name + ".gdcc")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
            handle.write(rewritten(text, _wanted(module.params, text)))
        os.chown(fresh, owner.st_uid, owner.st_gid)
        module.atomic_move(str(fresh), str(path))
    finally:
        module.run_command(["systemctl", "start", service], check_rc=True)


def main():
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "auth_protocol": {"type": "str", "choices": sorted(AUTH_OIDS), "default": "sha256"},
            "auth_passphrase": {"type": "str", "required": True, "no_log": True},
            "priv_passphrase": {"type": "str", "required": True, "no_log": True},
            "path": {"type": "path", "default": "/var/lib/snmp/snmpd.conf"},
            "service": {"type": "str", "default": "snmpd.service"},
        },
        supports_check_mode=True,
    )
    path = pathlib.Path(module.params["path"])
    if not path.exists() and module.check_mode:
        module.exit_json(changed=True, reason=f"snmpd is not installed: {path} is not there")
    try:
        text = path.read_text() if path.exists() else ""
        reason = difference(text, _wanted(module.params, text), module.params["name"])
        if reason and not module.check_mode:
            _replace(module, path)
    except ValueError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(reason), reason=reason, diff={"before": reason and f"{reason}\n", "after": ""})


if __name__ == "__main__":
    main()
