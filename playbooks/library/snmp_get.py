#!/usr/bin/python
"""One SNMPv3 object of a device, read with authentication and privacy."""

import asyncio

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

try:
    from pysnmp.error import PySnmpError
    from pysnmp.hlapi.v3arch import asyncio as hlapi
except ImportError:
    hlapi = None

DOCUMENTATION = r"""
---
module: snmp_get
short_description: One SNMPv3 object of a device
description:
  - Reads one object as SNMPv3 authPriv, so that a device proves that it answers to these credentials. Runs where pysnmp
    is installed, which is the controller.
options:
  host:
    description: The device's address.
    type: str
    required: true
  port:
    description: Its UDP port.
    type: int
    default: 161
  user:
    description: The user's name.
    type: str
    required: true
  auth_protocol:
    description: How its messages are authenticated.
    type: str
    choices: [sha1, sha256, sha384, sha512]
    default: sha256
  auth_passphrase:
    description: The secret that its authentication key is made from.
    type: str
    required: true
  priv_protocol:
    description: How its messages are encrypted.
    type: str
    choices: [aes128, aes256]
    default: aes128
  priv_passphrase:
    description: The secret that its encryption key is made from.
    type: str
    required: true
  oid:
    description: The object, sysName.0 if nothing is said.
    type: str
    default: 1.3.6.1.2.1.1.5.0
  timeout_s:
    description: Seconds to wait for each of three tries.
    type: int
    default: 3
author: GDCC Control
"""

EXAMPLES = r"""
- name: Ask the host for its name
  snmp_get:
    host: 192.0.2.10
    user: gdcc-cmp0001
    auth_passphrase: "{{ monitoring_snmp_auth_passphrase }}"
    priv_passphrase: "{{ monitoring_snmp_priv_passphrase }}"
  delegate_to: localhost
"""

RETURN = r"""
value:
  description: The object's value as text.
  returned: success
  type: str
"""

OTHER_TRIES = 2


def _protocols():
    auth = {
        "sha1": hlapi.USM_AUTH_HMAC96_SHA,
        "sha256": hlapi.USM_AUTH_HMAC192_SHA256,
        "sha384": hlapi.USM_AUTH_HMAC256_SHA384,
        "sha512": hlapi.USM_AUTH_HMAC384_SHA512,
    }
    priv = {"aes128": hlapi.USM_PRIV_CFB128_AES, "aes256": hlapi.USM_PRIV_CFB256_AES}
    return auth, priv


async def answer(params):
    """The object's value. Raises ValueError with what the device said instead."""
    auth, priv = _protocols()
    engine = hlapi.SnmpEngine()
    try:
        user = hlapi.UsmUserData(
            params["user"],
            authKey=params["auth_passphrase"],
            privKey=params["priv_passphrase"],
            authProtocol=auth[params["auth_protocol"]],
            privProtocol=priv[params["priv_protocol"]],
        )
        transport = hlapi.Udp6TransportTarget if ":" in params["host"] else hlapi.UdpTransportTarget
        target = await transport.create(
            (params["host"], params["port"]), timeout=params["timeout_s"], retries=OTHER_TRIES
        )
        asked = hlapi.ObjectType(hlapi.ObjectIdentity(params["oid"]))
        failed, status, _, values = await hlapi.get_cmd(
            engine, user, target, hlapi.ContextData(), asked, lookupMib=False
        )
    finally:
        engine.close_dispatcher()
    if failed or status:
        raise ValueError(str(failed or status.prettyPrint()))
    ((_, value),) = values
    if value.__class__.__name__ in {"NoSuchObject", "NoSuchInstance"}:
        raise ValueError("it has no such object, or does not show it to this user")
    return value.prettyPrint()


def main():
    module = AnsibleModule(
        argument_spec={
            "host": {"type": "str", "required": True},
            "port": {"type": "int", "default": 161},
            "user": {"type": "str", "required": True},
            "auth_protocol": {"type": "str", "choices": ["sha1", "sha256", "sha384", "sha512"], "default": "sha256"},
            "auth_passphrase": {"type": "str", "required": True, "no_log": True},
            "priv_protocol": {"type": "str", "choices": ["aes128", "aes256"], "default": "aes128"},
            "priv_passphrase": {"type": "str", "required": True, "no_log": True},
            "oid": {"type": "str", "default": "1.3.6.1.2.1.1.5.0"},
            "timeout_s": {"type": "int", "default": 3},
        },
        supports_check_mode=True,
    )
    if hlapi is None:
        module.fail_json(msg=missing_required_lib("pysnmp"))
    where = "{host}:{port}".format(**module.params)
    try:
        value = asyncio.run(answer(module.params))
    except (ValueError, PySnmpError) as error:
        module.fail_json(msg=f"{where} does not answer SNMPv3 user {module.params['user']}: {error}")
    module.exit_json(changed=False, value=value)


if __name__ == "__main__":
    main()
