"""SNMPv3 informs: their sender learns our engine and clock, is answered once it has them, and else told what is wrong.

Informs are made and answers are read by pysnmp's own services (`FakeAgent`), which share no code with what is tested.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import replace
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.adapters.snmp import pdu, usm, v3
from controller.adapters.snmp.credentials import AuthProtocol, PrivProtocol, User
from controller.adapters.snmp.failure import PollError, Reason
from controller.adapters.snmp.informs import Informs, Reply
from controller.adapters.snmp.own_engine import OwnEngine
from controller.adapters.snmp.stats import Tally
from controller.adapters.snmp.traps import Hurry, TrapListener
from controller.adapters.snmp.usm import UserSecurity
from tests.fakes.snmp_agent import V2C, FakeAgent
from tests.fakes.snmp_devices import USER, host_target, ilo

FAN_FAILURE = (1, 3, 6, 1, 4, 1, 232, 0, 6036)
ENGINE = OwnEngine(id=bytes.fromhex("80001f888000112233445566"), boots=7, began=0.0, monotonic=lambda: 1000.0)
BLANK = bytes.fromhex("80001f888000000000000000")


def sender(user: User = USER, **knows: object) -> FakeAgent:
    """A device that sends informs, with what it knows of our engine."""
    known = {"engine_id": ENGINE.id, "boots": ENGINE.boots, "time": ENGINE.time, **knows}
    return FakeAgent(user, {}, **known)  # type: ignore[arg-type]


def inform(user: User = USER, **knows: object) -> bytes:
    return sender(user, **knows).trap(FAN_FAILURE, inform=True)


def answered(datagram: bytes, user: User = USER) -> Reply:
    found = Informs(ENGINE).answered(v3.decoded(datagram), user)
    assert found is not None
    return found


def counter(report: object) -> int:
    """Which of usmStats a Report is about."""
    ((name, _),) = V2C.apiPDU.get_varbinds(report)
    assert tuple(name)[:-2] == (1, 3, 6, 1, 6, 3, 15, 1, 1)
    return int(tuple(name)[-2])


@pytest.mark.parametrize(
    "user",
    [
        USER,
        replace(USER, auth_protocol=AuthProtocol.SHA1),
        replace(USER, auth_protocol=AuthProtocol.SHA512, priv_protocol=PrivProtocol.AES256),
    ],
    ids=["sha256-aes128", "sha1-aes128", "sha512-aes256"],
)
def test_an_inform_under_our_engine_and_clock_is_answered_with_its_own_id_and_bindings_encrypted(user: User) -> None:
    device = sender(user)
    sent = device.trap(FAN_FAILURE, inform=True)
    found = answered(sent, user)
    assert found.inform is not None and found.inform.inform
    message_id, flags, response = device.opened(found.datagram)
    asked_id, _, asked = device.opened(sent)
    assert (message_id, flags[0]) == (asked_id, 3)
    assert isinstance(response, V2C.ResponsePDU)
    assert int(response["request-id"]) == int(asked["request-id"])  # type: ignore[index]
    assert int(response["error-status"]) == 0
    assert V2C.apiPDU.get_varbinds(response) == V2C.apiPDU.get_varbinds(asked)


def test_who_asks_for_our_engine_is_told_its_id_boots_and_time() -> None:
    security = UserSecurity(USER, lambda: 0.0)
    found = answered(security.probe() or b"")
    assert found.inform is None and not found.refused
    _, flags, report = sender().opened(found.datagram)
    assert (flags[0], counter(report)) == (0, 4)
    assert isinstance(security.open(found.datagram), usm.Resync)


@pytest.mark.parametrize("knows", [{"boots": 6}, {"boots": 8}, {"time": 849}, {"time": 1151}, {"boots": 0, "time": 0}])
def test_who_has_another_clock_is_told_ours_under_the_digest(knows: dict[str, int]) -> None:
    found = answered(inform(**knows))
    assert found.inform is None and not found.refused
    _, flags, report = sender().opened(found.datagram)
    assert (flags[0], counter(report)) == (1, 2)


@pytest.mark.parametrize("time", [850, 1150])
def test_a_clock_within_the_window_will_do(time: int) -> None:
    assert answered(inform(time=time)).inform is not None


def test_an_engine_whose_boots_are_used_up_answers_nothing() -> None:
    last = replace(ENGINE, boots=2**31 - 1)
    found = Informs(last).answered(v3.decoded(inform(boots=2**31 - 1)), USER)
    assert found is not None and found.inform is None


@pytest.mark.parametrize(
    ("user", "kind"),
    [(replace(USER, name="nobody"), 3), (replace(USER, auth="another-secret"), 5)],
    ids=["unknown user", "wrong digest"],
)
def test_another_user_or_secret_is_refused_and_told_so_in_clear(user: User, kind: int) -> None:
    found = answered(inform(user))
    assert found.inform is None and found.refused
    _, flags, report = sender().opened(found.datagram)
    assert (flags[0], counter(report)) == (0, kind)


def test_what_is_not_encrypted_is_refused() -> None:
    device = sender()
    found = answered(device.trap(FAN_FAILURE, inform=True, in_clear=True))
    assert found.refused and counter(device.opened(found.datagram)[2]) == 1


def test_what_cannot_be_decrypted_is_malformed() -> None:
    message = v3.decoded(inform(replace(USER, priv="another-secret")))
    with pytest.raises(PollError, match="not an SNMP"):
        Informs(ENGINE).answered(message, USER)


def test_a_trap_of_its_senders_own_engine_is_none_of_ours() -> None:
    device = FakeAgent(USER, {})
    assert Informs(ENGINE).answered(v3.decoded(device.trap(FAN_FAILURE)), USER) is None


def test_an_inform_to_an_engine_that_we_no_longer_are_is_told_which_one_we_are() -> None:
    found = answered(inform(engine_id=BLANK))
    assert not found.refused and counter(sender().opened(found.datagram)[2]) == 4


def test_reports_count_on() -> None:
    informs = Informs(ENGINE)
    counts = []
    for _ in range(3):
        found = informs.answered(v3.decoded(inform(boots=1)), USER)
        assert found is not None
        ((_, value),) = V2C.apiPDU.get_varbinds(sender().opened(found.datagram)[2])
        counts.append(int(value))
    assert counts == [1, 2, 3]


def said(flags: int, pdu_of: object, engine_id: bytes = ENGINE.id) -> v3.Message:
    """What an engine without our user's keys says in clear."""
    scoped = v3.scoped(engine_id, pdu_of)
    return v3.Message(
        id=77, flags=flags, engine_id=engine_id, boots=0, time=0, user=b"x", digest=b"", salt=b"", scoped=scoped
    )


@pytest.mark.parametrize("engine_id", [ENGINE.id, BLANK, b""], ids=["ours", "another", "none"])
@pytest.mark.parametrize("flags", [0, v3.AUTH, v3.AUTH | v3.PRIV])
def test_what_is_not_reportable_is_never_told_what_is_wrong_with_it(flags: int, engine_id: bytes) -> None:
    informs = Informs(ENGINE)
    message = said(flags, pdu.get(1, ()), engine_id)
    if engine_id == BLANK:
        assert informs.answered(message, USER) is None, "a trap is judged as one"
    else:
        with pytest.raises(PollError) as refused:
            informs.answered(message, USER)
        assert refused.value.reason is Reason.AUTH


@pytest.mark.parametrize("knows", [{"boots": 0, "time": 0}, {"boots": 6}])
def test_an_inform_with_another_clock_that_is_not_reportable_is_not_told_ours(knows: dict[str, int]) -> None:
    device = sender(**knows)
    with pytest.raises(PollError) as refused:
        Informs(ENGINE).answered(v3.decoded(device.trap(FAN_FAILURE)), USER)
    assert refused.value.reason is Reason.AUTH


def response() -> object:
    answer = V2C.ResponsePDU()
    V2C.apiPDU.set_defaults(answer)
    return answer


@pytest.mark.parametrize("engine_id", [ENGINE.id, BLANK, b""], ids=["ours", "another", "none"])
@pytest.mark.parametrize("kind", [pdu.report(usm.UNKNOWN_ENGINE_IDS, 1), response()], ids=["report", "response"])
def test_a_report_or_a_response_is_never_answered_though_it_asks_to_be(kind: object, engine_id: bytes) -> None:
    try:
        found = Informs(ENGINE).answered(said(v3.REPORTABLE, kind, engine_id), USER)
    except PollError as refused:
        assert refused.reason is Reason.AUTH
    else:
        assert found is None


@pytest.mark.parametrize("boots", [ENGINE.boots, 1], ids=["in time", "too late"])
@pytest.mark.parametrize("kind", [pdu.report(usm.UNKNOWN_ENGINE_IDS, 1), response()], ids=["report", "response"])
def test_a_report_or_a_response_under_our_users_keys_is_not_answered_either(kind: object, boots: int) -> None:
    keys = usm.localized_keys(USER, ENGINE.id)
    scoped = v3.scoped(ENGINE.id, kind)
    sent = usm.sealed(7, scoped, USER, keys, engine_id=ENGINE.id, boots=boots, time=ENGINE.time)
    with pytest.raises(PollError):
        Informs(ENGINE).answered(v3.decoded(sent), USER)


def test_two_engines_do_not_report_to_each_other() -> None:
    other = Informs(replace(ENGINE, id=bytes.fromhex("80001f8880aabbccddeeff0011")))
    report = v3.decoded(answered(UserSecurity(USER, lambda: 0.0).probe() or b"").datagram)
    assert other.answered(report, USER) is None
    with pytest.raises(PollError, match="no Report is due"):
        Informs(ENGINE).answered(report, USER)


WHOLE = inform()


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, len(WHOLE) - 1), bit=st.integers(0, 7), end=st.integers(0, len(WHOLE)))
def test_an_inform_that_was_changed_on_its_way_is_never_taken(place: int, bit: int, end: int) -> None:
    changed = bytearray(WHOLE)
    changed[place] ^= 1 << bit
    for datagram in (bytes(changed), WHOLE[:end] if end < len(WHOLE) else WHOLE + b"x"):
        try:
            found = Informs(ENGINE).answered(v3.decoded(datagram), USER)
        except PollError:
            continue
        assert found is None or found.inform is None


async def heard(
    *datagrams: bytes, engine: OwnEngine | None = ENGINE, users: Sequence[User] = (USER,), answers_wanted: bool = True
) -> tuple[list[bytes], Tally, list[str]]:
    """What a trap port answers to devices of one address, what it counts, and whom it has polled."""
    found = [
        replace(host_target(ilo(user), f"h{n}"), address=("127.0.0.1", n), credential=f"c{n}")
        for n, user in enumerate(users, 1)
    ]
    credentials = {f"c{n}": user for n, user in enumerate(users, 1)}
    polled, answers, tally = list[str](), list[bytes](), Tally()

    def poll_now(name: str) -> Hurry:
        polled.append(name)
        return Hurry.POLLED

    listener = TrapListener(("127.0.0.1", 0), found, credentials, poll_now, tally, engine=engine)
    await listener.start()
    try:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            sock.setblocking(False)
            for datagram in datagrams:
                counted = tally.traps.total()
                await loop.sock_sendto(sock, datagram, listener.address)
                if engine is not None and answers_wanted:
                    answers.append(await asyncio.wait_for(loop.sock_recv(sock, 65_535), 5))
                while tally.traps.total() == counted:  # noqa: ASYNC110 - counters tell nobody that they have changed
                    await asyncio.sleep(0)
            with pytest.raises(BlockingIOError):
                sock.recv(65_535)
    finally:
        await listener.stop()
    return answers, tally, polled


async def test_the_trap_port_tells_our_engine_then_our_clock_and_then_answers_and_polls() -> None:
    probe = UserSecurity(USER, lambda: 0.0).probe() or b""
    answers, tally, polled = await heard(probe, inform(boots=0, time=0), inform())
    said = [sender().opened(answer)[2] for answer in answers]
    assert [counter(report) for report in said[:2]] == [4, 2]
    assert isinstance(said[2], V2C.ResponsePDU)
    assert (tally.informs, tally.traps, tally.trap_names) == (1, {"reported": 2, "polled": 1}, {"fan_failure": 1})
    assert polled == ["bmc:h1"]


async def test_an_inform_that_cannot_be_trusted_is_counted_as_such_and_polls_nothing() -> None:
    _, tally, polled = await heard(inform(replace(USER, auth="another-secret")))
    assert (tally.traps, tally.trap_names, tally.informs, polled) == ({"auth": 1}, {}, 0, [])


async def test_what_is_not_reportable_is_counted_and_not_answered() -> None:
    _, tally, polled = await heard(sender(boots=1).trap(FAN_FAILURE), answers_wanted=False)
    assert (tally.traps, tally.informs, polled) == ({"auth": 1}, 0, [])


OTHER = replace(USER, name="other", auth="other-secret-12", priv="other-secret-34")
NAMESAKE = replace(USER, auth="other-secret-12")


@pytest.mark.parametrize("users", [(USER, OTHER), (USER, NAMESAKE), (OTHER, USER), (NAMESAKE, USER)])
@pytest.mark.parametrize("place", [0, 1])
async def test_each_of_two_devices_of_one_address_is_told_our_clock_and_answered(
    users: tuple[User, User], place: int
) -> None:
    user = users[place]
    answers, tally, polled = await heard(inform(user, boots=0, time=0), inform(user), users=users)
    clock, acknowledged = (sender(user).opened(answer) for answer in answers)
    assert (clock[1][0], counter(clock[2])) == (1, 2)
    assert isinstance(acknowledged[2], V2C.ResponsePDU)
    assert (tally.informs, polled) == (1, [f"bmc:h{place + 1}"])


async def test_a_trap_that_asks_for_reports_gets_none_for_the_other_device_of_its_address() -> None:
    trap = V2C.TrapPDU()
    V2C.apiTrapPDU.set_defaults(trap)
    own = FakeAgent(OTHER, {}).engine_id
    keys = usm.localized_keys(OTHER, own)
    sent = usm.sealed(7, v3.scoped(own, trap), OTHER, keys, engine_id=own, boots=1, time=1)
    _, tally, polled = await heard(sent, users=(USER, OTHER), answers_wanted=False)
    assert (tally.informs, polled) == (0, ["bmc:h2"])


async def test_an_inform_from_an_address_of_two_devices_is_answered_once_and_polls_both() -> None:
    answers, tally, polled = await heard(inform(), users=(USER, USER))
    assert (len(answers), tally.informs, polled) == (1, 1, ["bmc:h1", "bmc:h2"])


async def test_without_an_engine_a_search_for_it_is_told_as_unsupported() -> None:
    answers, tally, _ = await heard(UserSecurity(USER, lambda: 0.0).probe() or b"", engine=None)
    assert (answers, tally.traps) == ([], {"unsupported": 1})


@pytest.mark.parametrize(
    ("datagram", "engine", "devices"),
    [
        (FakeAgent(USER, {}).trap(FAN_FAILURE), None, 1),
        (UserSecurity(USER, lambda: 0.0).probe() or b"", ENGINE, 1),
        (inform(engine_id=BLANK), ENGINE, 1),
        (inform(), ENGINE, 2),
    ],
    ids=["trap", "search", "old engine", "two devices"],
)
async def test_a_message_is_decoded_once(
    datagram: bytes, engine: OwnEngine | None, devices: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = Mock(side_effect=v3.decoded)
    monkeypatch.setattr(v3, "decoded", decoded)
    await heard(datagram, engine=engine, users=[USER] * devices)
    assert decoded.call_count == 1
