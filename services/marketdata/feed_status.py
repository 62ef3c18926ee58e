"""How a feed is, as its writer knows it, and the message that tells the others."""

from __future__ import annotations

from collections.abc import Iterable

from crossrate.api.marketdata.v1 import feed_pb2 as pb
from services.marketdata.domain.normalise import Counts

TOLD_EVERY_NS = 1_000_000_000
"""Counts are told at most this often; a change of health at once."""
UNKNOWN_TOLD_MAX = 50
REASON_CHARACTERS_MAX = 500
COMPLETE = "replay complete"

CONNECTING = pb.FEED_HEALTH_CONNECTING
LIVE = pb.FEED_HEALTH_LIVE
STALE = pb.FEED_HEALTH_STALE
DISCONNECTED = pb.FEED_HEALTH_DISCONNECTED


class FeedStatus:
    """One term's status of one feed.

    Attributes:
        health: whether it delivers.
        counts: what has come through it since its log began.
        disconnects: connections that ended since then.
        quoted_ns: when the newest quote was received; 0 before the first of the term.
    """

    def __init__(self, name: str, kind: int, writer: str, before: pb.Feed, now_ns: int) -> None:
        self._name, self._kind, self._writer = name, kind, writer
        self._since_ns, self._told_ns, self._told = now_ns, 0, b""
        self._urgent = True
        self.health = CONNECTING
        self.reason = ""
        self.counts = Counts(
            before.quote_count,
            before.gap_count,
            before.duplicate_count,
            before.outlier_count,
            before.out_of_order_count,
            before.crossed_count,
            before.late_count,
            {each.reason: each.count for each in before.rejected},
        )
        self.disconnects = before.disconnect_count
        self.quoted_ns = 0

    def become(self, health: int, reason: str, now_ns: int) -> None:
        """Takes another health, and why."""
        reason = reason[:REASON_CHARACTERS_MAX]
        if health != self.health:
            self._since_ns = now_ns
        elif reason == self.reason:
            return
        self.health, self.reason, self._urgent = health, reason, True

    def told(
        self, now_ns: int, latencies: Iterable[int], unknown: Iterable[str], *, always: bool = False
    ) -> pb.Feed | None:
        """The message, if it is time for one and it says something new; in any case if `always`."""
        if not always and not self._urgent and now_ns - self._told_ns < TOLD_EVERY_NS:
            return None
        made = self._message(latencies, unknown)
        encoded = made.SerializeToString()
        self._told_ns = now_ns
        if encoded == self._told and not always:
            return None
        self._told, self._urgent = encoded, False
        return made

    def _message(self, latencies: Iterable[int], unknown: Iterable[str]) -> pb.Feed:
        counts = self.counts
        made = pb.Feed(
            name=self._name,
            kind=self._kind,
            health=self.health,
            reason=self.reason,
            writer=self._writer,
            quote_count=counts.quotes,
            gap_count=counts.gaps,
            duplicate_count=counts.duplicates,
            outlier_count=counts.outliers,
            out_of_order_count=counts.out_of_order,
            crossed_count=counts.crossed,
            late_count=counts.late,
            rejected=[pb.RejectedCount(reason=reason, count=count) for reason, count in counts.rejected.items()],
            disconnect_count=self.disconnects,
        )
        made.health_time.FromNanoseconds(self._since_ns)
        for symbol in unknown:
            if len(made.unknown_symbols) == UNKNOWN_TOLD_MAX:
                break
            made.unknown_symbols.append(symbol[:64])
        if self.quoted_ns:
            made.last_quote_time.FromNanoseconds(self.quoted_ns)
        ordered = sorted(latencies)
        if ordered:
            made.latency_p50.FromNanoseconds(ordered[len(ordered) // 2])
            made.latency_p99.FromNanoseconds(ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)])
        return made
