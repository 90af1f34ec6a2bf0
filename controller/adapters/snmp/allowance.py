"""How much of what anybody may send is looked at: decoding takes this process's one thread (token buckets)."""

from collections.abc import Iterable

LARGEST = 8192
"""Bytes. Agents send 484 to 1472 (RFC 3417 3.2.1), some a little more; the time to decode grows with the length, to a
second for a datagram of 64 KiB."""

BYTES_A_TOKEN = 256
"""A token is worth about 5 ms of decoding at worst, and a usual trap costs one to four."""

ALL_A_SECOND, ALL_AT_ONCE = 60.0, 300.0
"""Tokens for the whole port: at worst a third of the process's time."""

EACH_A_SECOND, EACH_AT_ONCE = 8.0, 40.0
"""Tokens for one source: the largest datagram (32) passes, and nobody's storm takes what the others need."""


class Bucket:
    """`rate` tokens a second, `burst` at most and at first."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = self._tokens = burst
        self._refilled = 0.0

    def holds(self, tokens: float, now: float) -> bool:
        self._tokens = min(self._tokens + (now - self._refilled) * self._rate, self._burst)
        self._refilled = now
        return self._tokens >= tokens

    def spend(self, tokens: float) -> None:
        self._tokens -= tokens


class Allowance:
    """For all `sources`, and for each of them."""

    def __init__(self, sources: Iterable[str]) -> None:
        self._all = Bucket(ALL_A_SECOND, ALL_AT_ONCE)
        self._each = {source: Bucket(EACH_A_SECOND, EACH_AT_ONCE) for source in sources}

    def admits(self, source: str, size: int, now: float) -> bool:
        """Whether a datagram of so many bytes is looked at; if so, it is paid for."""
        tokens = 1 + (size - 1) // BYTES_A_TOKEN
        buckets = (self._each[source], self._all)
        if not all(bucket.holds(tokens, now) for bucket in buckets):
            return False
        for bucket in buckets:
            bucket.spend(tokens)
        return True
