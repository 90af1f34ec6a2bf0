"""Messages that are not what they claim: whatever the bytes, the answer is a malformed packet and no exception else."""

import random
from collections.abc import Callable

import pytest

from controller.adapters.snmp import pdu, v3
from controller.adapters.snmp.community import CommunitySecurity
from controller.adapters.snmp.failure import PollError
from controller.adapters.snmp.usm import UserSecurity
from tests.fakes.snmp_agent import V2C
from tests.fakes.snmp_devices import AMBIENT, COMMUNITY, USER, ilo

MUTATIONS = 400


def conversation() -> tuple[UserSecurity, bytes]:
    """A v3 side that has asked for a value, and the device's right answer."""
    fake, security = ilo(), UserSecurity(USER, lambda: 0.0)
    probe = security.probe()
    assert probe is not None
    discovered = fake._v3(probe)
    assert discovered is not None
    security.open(discovered)
    resync = fake._v3(security.seal(1, pdu.get(1, (AMBIENT,))))
    assert resync is not None
    security.open(resync)
    answer = fake._v3(security.seal(2, pdu.get(2, (AMBIENT,))))
    assert answer is not None
    return security, answer


def v2c() -> tuple[CommunitySecurity, bytes]:
    fake, security = ilo(COMMUNITY), CommunitySecurity(COMMUNITY)
    answer = fake._v2c(security.seal(2, pdu.get(2, (AMBIENT,))), COMMUNITY)
    assert answer is not None
    return security, answer


@pytest.mark.parametrize("told", [v2c, conversation])
def test_a_right_answer_is_opened(told: Callable[[], tuple[UserSecurity, bytes]]) -> None:
    security, answer = told()
    opened = security.open(answer)
    assert isinstance(opened, pdu.Response)
    assert opened.bindings == ((AMBIENT, 21),)


@pytest.mark.parametrize(
    "mangle",
    [
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: b"\x30\x84\xff\xff\xff\xff" + data,
        lambda data: b"\x30\x0b\x02\x88" + b"\xff" * 8 + b"\x01",
        lambda data: b"\x30\x80" * 1000,
        lambda data: data + b"\x05\x00",
        lambda data: b"GET / HTTP/1.1\r\n\r\n",
        lambda data: b"\x30\x03\x02\x01\x01",
        lambda data: b"\x30\x80\x00\x00",
    ],
)
@pytest.mark.parametrize("told", [v2c, conversation])
def test_a_hostile_packet_is_malformed(
    told: Callable[[], tuple[UserSecurity, bytes]], mangle: Callable[[bytes], bytes]
) -> None:
    security, answer = told()
    with pytest.raises(PollError) as error:
        security.open(mangle(answer))
    assert error.value.reason == "malformed"


@pytest.mark.parametrize("told", [v2c, conversation])
def test_whatever_is_changed_in_a_packet_nothing_else_is_raised(
    told: Callable[[], tuple[UserSecurity, bytes]],
) -> None:
    security, answer = told()
    rng = random.Random(7)
    for _ in range(MUTATIONS):
        changed = bytearray(answer)
        for _ in range(rng.randint(1, 3)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        try:
            opened = security.open(bytes(changed))
        except PollError:
            continue
        if isinstance(security, UserSecurity):
            assert bytes(changed) == answer or not isinstance(opened, pdu.Response), "a changed answer was believed"


def test_a_mutated_v3_message_is_decoded_or_malformed() -> None:
    _, answer = conversation()
    rng = random.Random(11)
    for _ in range(MUTATIONS):
        changed = bytearray(answer)
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        try:
            v3.decoded(bytes(changed))
        except PollError as error:
            assert error.reason == "malformed"


def test_an_engine_id_full_of_zeros_does_not_misplace_the_digest() -> None:
    fake, security = ilo(), UserSecurity(USER, lambda: 0.0)
    fake.engine_id = b"\x80\x00\x00\x00\x05" + bytes(24)
    probe = security.probe()
    assert probe is not None
    security.open(fake._v3(probe) or b"")
    answer = fake._v3(security.seal(1, pdu.get(1, (AMBIENT,))))
    assert answer is not None
    message = v3.decoded(answer)
    assert message.flags & v3.PRIV, "the device understood us"


def test_an_answer_from_before_the_engines_last_boot_is_not_taken() -> None:
    now = [0.0]
    fake, security = ilo(), UserSecurity(USER, lambda: now[0])
    probe = security.probe()
    assert probe is not None
    security.open(fake._v3(probe) or b"")
    fake.boots = 9
    for _ in range(2):
        security.open(fake._v3(security.seal(1, pdu.get(1, (AMBIENT,)))) or b"")
    assert security.engine_id == fake.engine_id
    now[0] = 1000.0
    sealed = v3.decoded(security.seal(2, pdu.get(2, (AMBIENT,))))
    assert sealed.boots == 9
    assert sealed.time == fake.time + 1000, "the engine's clock runs on between answers"


def test_secrets_show_nowhere() -> None:
    assert "the-auth-secret" not in repr(USER)
    assert "the-priv-secret" not in repr(USER)
    assert "the-community" not in repr(COMMUNITY)


@pytest.mark.parametrize("community", [b"public", "ที่นี่".encode(), b"\xe9t\xe9"])
def test_an_inform_is_answered_in_its_own_community_whatever_its_bytes(community: bytes) -> None:
    asked = V2C.InformRequestPDU()
    V2C.apiPDU.set_defaults(asked)
    inform = pdu.v2c_message(community.decode(errors="surrogateescape"), asked)
    assert pdu.read_v2c(pdu.acknowledgement(inform))[0] == community
