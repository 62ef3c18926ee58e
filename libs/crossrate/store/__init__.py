"""PostgreSQL for a service: pool, migrations, journal with a fenced writer, request log, inbox, outbox relay.

A service with FIX sessions takes `crossrate.store.fix_store` too.
"""

from crossrate.store.database import Database
from crossrate.store.errors import (
    LeaseHeld,
    MigrationError,
    OutcomeUnknown,
    RequestIdReused,
    SequenceConflict,
    StaleWriter,
    StoreError,
    StoreUnavailable,
)
from crossrate.store.inbox import Inbox
from crossrate.store.journal import Entry, Fact, Journal, Lease
from crossrate.store.newest import Newest
from crossrate.store.relay import OutboxRelay
from crossrate.store.requests import RequestLog

__all__ = [
    "Database",
    "Entry",
    "Fact",
    "Inbox",
    "Journal",
    "Lease",
    "LeaseHeld",
    "MigrationError",
    "Newest",
    "OutboxRelay",
    "OutcomeUnknown",
    "RequestIdReused",
    "RequestLog",
    "SequenceConflict",
    "StaleWriter",
    "StoreError",
    "StoreUnavailable",
]
