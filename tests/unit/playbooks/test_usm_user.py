"""The row of snmpd's one user: its keys, what is said where it differs, and what becomes of other rows."""

import pytest
from pyasn1.type import univ
from pysnmp.proto.secmod.rfc3414 import service

from tests.unit.playbooks.role_modules import role_module

USM = role_module("../library/usm_user.py")
ENGINE = bytes.fromhex("80001f8880b1cba83ce679016b00000000")
PYSNMP = service.SnmpUSMSecurityModel.AUTH_SERVICES
WANTED = USM.row("gdcc-host1", "sha256", b"\x01" * 32, b"\x02" * 16, ENGINE)
HEAD = "# written by snmpd\nsetserialno 7\nengineBoots 3\noldEngineID 0x80001f88\n"


@pytest.mark.parametrize("algorithm", USM.AUTH_OIDS)
@pytest.mark.parametrize("passphrase", ["eight ch", "a passphrase of more characters than that", "ภาษาไทย"])
def test_a_key_is_the_one_that_pysnmp_makes_of_the_passphrase(algorithm: str, passphrase: str) -> None:
    oracle = PYSNMP[tuple(int(part) for part in USM.AUTH_OIDS[algorithm].split(".")[1:])]
    hashed = oracle.hash_passphrase(univ.OctetString(passphrase.encode()))
    assert USM.localized(passphrase, ENGINE, algorithm) == bytes(oracle.localize_key(hashed, univ.OctetString(ENGINE)))


def test_a_row_as_snmpd_rewrites_it_is_the_same_row() -> None:
    name = "0x" + b"gdcc-host1".hex()
    rewritten = WANTED.replace('"gdcc-host1"', name).replace("0x" + "02" * 16, "0x" + "02" * 32)
    assert rewritten != WANTED
    assert USM.difference(HEAD + rewritten, WANTED, "gdcc-host1") == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD, "snmpd knows no user gdcc-host1"),
        (WANTED.replace("gdcc-host1", "other"), "snmpd knows no user gdcc-host1"),
        (WANTED + "\n" + WANTED.replace("gdcc-host1", "other"), "snmpd knows users beside gdcc-host1"),
        (WANTED + "\ncreateUser other SHA secret", "snmpd knows users beside gdcc-host1"),
        (WANTED.replace("6b00000000", "6b00000001"), "the keys of user gdcc-host1 are for another engine id"),
        (WANTED.replace(USM.AES128_OID, ".1.3.6.1.6.3.10.1.2.2"), "user gdcc-host1 has other protocols"),
        (WANTED.replace("0x0101", "0x0301"), "user gdcc-host1 has other keys"),
        (WANTED.replace("0x0202", "0x0302"), "user gdcc-host1 has other keys"),
    ],
)
def test_what_differs_is_said(text: str, said: str) -> None:
    assert USM.difference(text, WANTED, "gdcc-host1") == said


def test_every_other_user_goes_and_what_is_no_user_stays() -> None:
    text = HEAD + WANTED.replace("gdcc-host1", "other") + "\ncreateUser third SHA secret\nifXTable .1 14:0\n"
    assert USM.rewritten(text, WANTED) == HEAD + "ifXTable .1 14:0\n" + WANTED + "\n"
