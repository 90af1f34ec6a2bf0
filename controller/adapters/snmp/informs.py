"""SNMPv3 informs, of which we are the authority: our engine is told, our clock is told, and what came is answered.

A sender that does not know our engine's id or clock is told by a Report (RFC 3414 3.2, 4) and sends again. An inform
under our id, its user's digest and our clock is answered by a Response of the same request-id, encrypted as it was.
Who does not ask for Reports gets none, nor does who cannot mean to be answered (RFC 3412 7.1 3): a Report, a Response.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from controller.adapters.snmp import pdu, usm, v3
from controller.adapters.snmp.credentials import User
from controller.adapters.snmp.failure import PollError, Reason
from controller.adapters.snmp.oids import Oid, dotted
from controller.adapters.snmp.own_engine import OwnEngine

AUTH_PRIV = v3.AUTH | v3.PRIV


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is sent back, and what was said: None where it must be said again, or (`refused`) by another."""

    datagram: bytes
    inform: pdu.Response | None = None
    refused: bool = False


class Informs:
    """Answers for our engine. Reports are counted by kind, as they themselves tell (usmStats, RFC 3414 5)."""

    def __init__(self, engine: OwnEngine) -> None:
        self._engine = engine
        self._reports: Counter[Oid] = Counter()

    def answered(self, message: v3.Message, user: User) -> Reply | None:
        """What a v3 message of a device gets; None for one that is not for our engine: a trap.

        Raises PollError: malformed, or auth where something is wrong with it and no Report is due.
        """
        keys = usm.localized_keys(user, self._engine.id)
        objection = self._objection(message, keys, user)
        if objection is not None:
            return self._objected(message, objection, keys, user)
        scoped = usm.opened(message, keys, user)
        inform = v3.response(scoped)
        if not inform.inform:
            raise PollError(Reason.MALFORMED, "what is asked of our engine is no inform")
        return Reply(datagram=self._sealed(message, v3.acknowledged(scoped), keys, user, AUTH_PRIV), inform=inform)

    def _objection(self, message: v3.Message, keys: usm.Keys, user: User) -> Oid | None:
        """The counter that a Report names where the message is not to be answered, in the order of RFC 3414 3.2."""
        checks: tuple[tuple[Oid, Callable[[], bool]], ...] = (
            (usm.UNKNOWN_ENGINE_IDS, lambda: message.engine_id == self._engine.id),
            (usm.UNKNOWN_USER_NAMES, lambda: message.user == user.name.encode()),
            (usm.UNSUPPORTED_SEC_LEVELS, lambda: message.flags & AUTH_PRIV == AUTH_PRIV),
            (usm.WRONG_DIGESTS, lambda: usm.genuine(message, keys, user)),
            (usm.NOT_IN_TIME_WINDOWS, lambda: self._timely(message)),
        )
        return next((counter for counter, holds in checks if not holds()), None)

    def _timely(self, message: v3.Message) -> bool:
        """RFC 3414 3.2 7a: we are the authority."""
        engine = self._engine
        near = abs(message.time - engine.time) <= usm.WINDOW_SECONDS
        return near and message.boots == engine.boots < usm.LAST_BOOTS

    def _objected(self, message: v3.Message, why: Oid, keys: usm.Keys, user: User) -> Reply | None:
        if message.flags & v3.REPORTABLE and not _unconfirmed(message, user):
            return self._report(message, why, keys, user)
        if message.engine_id not in {b"", self._engine.id}:
            return None
        raise PollError(Reason.AUTH, f"no Report is due ({dotted(why)})")

    def _report(self, message: v3.Message, why: Oid, keys: usm.Keys, user: User) -> Reply:
        """Signed only where the sender shall set its clock by it."""
        self._reports[why] += 1
        scoped = v3.scoped(self._engine.id, pdu.report(why, self._reports[why]))
        flags = v3.AUTH if why == usm.NOT_IN_TIME_WINDOWS else 0
        refused = why not in {usm.UNKNOWN_ENGINE_IDS, usm.NOT_IN_TIME_WINDOWS}
        return Reply(datagram=self._sealed(message, scoped, keys, user, flags), refused=refused)

    def _sealed(self, message: v3.Message, scoped: bytes, keys: usm.Keys, user: User, flags: int) -> bytes:
        engine = self._engine
        return usm.sealed(
            message.id, scoped, user, keys, engine_id=engine.id, boots=engine.boots, time=engine.time, flags=flags
        )


def _unconfirmed(message: v3.Message, user: User) -> bool:
    """Whether it holds what is never answered: a trap, a Report, a Response. Of what cannot be read nobody knows."""
    try:
        said = v3.response(usm.opened(message, usm.localized_keys(user, message.engine_id), user))
    except PollError:
        return False
    return not said.inform
