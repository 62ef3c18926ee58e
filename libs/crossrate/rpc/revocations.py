"""Sessions that were ended and grants that have changed, as far as a token could still tell otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from crossrate.rpc.grants import Client

KEEP_S = 600.0
"""How long a revocation is kept, in seconds: twice the longest life that a token may have."""
SWEEP_MIN = 1024
"""Entries from which on those that no token can know any more are looked for."""


class Revocations:
    """What identity has revoked within a token's life. Times are seconds since 1970.

    It is complete from `complete` on; before that no token is believed.
    """

    def __init__(self) -> None:
        self._sessions: dict[str, float] = {}
        self._subjects: dict[str, float] = {}
        self._sweep_at = SWEEP_MIN
        self.complete = False
        self.on_change: Callable[[], None] | None = None
        """Called after each change: open streams may have to end."""

    def end_session(self, session: str, time: float) -> None:
        """A session was ended."""
        self._note(self._sessions, session, time)

    def change_grants(self, subject: str, time: float) -> None:
        """A subject's grants have changed: tokens that were issued at `time` or before say what holds no more."""
        self._note(self._subjects, subject, time)

    def _note(self, kept: dict[str, float], key: str, time: float) -> None:
        kept[key] = max(time, kept.get(key, 0.0))
        if len(self._sessions) + len(self._subjects) >= self._sweep_at:
            for each in (self._sessions, self._subjects):
                for old in [k for k, at in each.items() if at + KEEP_S < time]:
                    del each[old]
            self._sweep_at = max(SWEEP_MIN, 2 * (len(self._sessions) + len(self._subjects)))
        if self.on_change is not None:
            self.on_change()

    def hit(self, client: Client) -> bool:
        """Whether a client's token was revoked."""
        if not client.session:
            return False
        return client.session in self._sessions or client.issue_time <= self._subjects.get(client.subject, -1.0)

    @property
    def known(self) -> Mapping[str, int]:
        """How much is kept, for operators."""
        return {"sessions": len(self._sessions), "subjects": len(self._subjects)}
