"""How long to wait for a device, learned from its own answers (the estimator of RFC 6298)."""

from collections.abc import Sequence

FIRST_WAIT = 2.0
SHORTEST_WAIT = 0.5
LONGEST_WAIT = 10.0
"""Seconds. BMCs are slow, and slower while they serve a console: the first wait is long, the shortest generous."""


class ResponseTime:
    """`waits` are the seconds to wait after each sending of one request."""

    def __init__(self, first_wait: float = FIRST_WAIT) -> None:
        self._first = first_wait
        self._mean: float | None = None
        self._deviation = 0.0
        self._backoff = 1.0

    def waits(self, *, dead: bool = False) -> Sequence[float]:
        """Two sendings, the second with twice the patience; one for a device that has not answered for long."""
        once = min(self._estimate() * self._backoff, LONGEST_WAIT)
        return (once,) if dead else (once, min(2 * once, LONGEST_WAIT))

    def answered(self, seconds: float, *, sendings: int) -> None:
        """Learns from an answer to a single sending; after several nobody knows which was answered (Karn)."""
        if sendings > 1:
            self._backoff = min(self._backoff * 2, 8.0)
            return
        self._backoff = 1.0
        if self._mean is None:
            self._mean, self._deviation = seconds, seconds / 2
            return
        self._deviation += 0.25 * (abs(seconds - self._mean) - self._deviation)
        self._mean += 0.125 * (seconds - self._mean)

    def lost(self) -> None:
        """No answer at all: wait longer next time."""
        self._backoff = min(self._backoff * 2, 8.0)

    def _estimate(self) -> float:
        if self._mean is None:
            return self._first
        return max(self._mean + 4 * self._deviation, min(SHORTEST_WAIT, self._first))
