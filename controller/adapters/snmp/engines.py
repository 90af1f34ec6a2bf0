"""Which device answers under which SNMPv3 engine id: two with one id cannot be told apart, so neither counts."""

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Engines:
    """A device that has not answered for `forget_after_s` no longer holds its id (it may have got a new address)."""

    forget_after_s: float
    _claims: dict[bytes, dict[str, float]] = field(default_factory=dict)
    _held: dict[str, bytes] = field(default_factory=dict)

    def claim(self, engine_id: bytes, name: str, now_s: float) -> tuple[str, ...]:
        """Notes that `name` answered under `engine_id` just now; the other devices that do so, sorted."""
        before = self._held.get(name)
        if before is not None and before != engine_id:
            self._claims[before].pop(name, None)
        self._held[name] = engine_id
        holders = self._claims.setdefault(engine_id, {})
        holders[name] = now_s
        for other, at in list(holders.items()):
            if at < now_s - self.forget_after_s:
                del holders[other]
        return tuple(sorted(other for other in holders if other != name))
