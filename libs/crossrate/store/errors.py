"""What can go wrong between a service and its database, as types that a caller can act on."""

from __future__ import annotations


class StoreError(Exception):
    """Anything below."""


class StoreUnavailable(StoreError, ConnectionError):
    """The database cannot be reached, or no connection is free in time. Nothing was done; trying again is safe."""


class OutcomeUnknown(StoreError, ConnectionError):
    """The connection broke while a transaction was being committed: it may or may not have been.

    Never repeat the work blindly: ask for the request id (`RequestLog`) or the position (`Inbox`) first.
    """


class MigrationError(StoreError):
    """The schema cannot be brought up to date; the message names the file and says what to do."""


class StaleWriter(StoreError):
    """Another holder has taken the lease since: this writer's view of the state is out of date, and it must stop."""

    def __init__(self, lease: str, epoch: int) -> None:
        super().__init__(f"lease {lease!r} is no longer held with epoch {epoch}: another writer has taken over")
        self.lease = lease
        self.epoch = epoch


class LeaseHeld(StoreError):
    """Somebody else holds the lease and it has not run out."""

    def __init__(self, lease: str, holder: str, remaining_s: float) -> None:
        super().__init__(f"lease {lease!r} is held by {holder} for another {remaining_s:.1f} s")
        self.lease = lease
        self.holder = holder
        self.remaining_s = remaining_s


class SequenceConflict(StoreError):
    """The stream does not end where its writer thought: the writer's state must be rebuilt from the journal."""


class RequestIdReused(StoreError):
    """A request id came again with another body."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"request id {request_id!r} was used before for another request")
        self.request_id = request_id
