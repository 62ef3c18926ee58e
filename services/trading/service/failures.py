"""What can go wrong, told to the caller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from crossrate.rpc import errors
from crossrate.store.errors import OutcomeUnknown, StoreError
from services.trading.domain.account import Refused
from services.trading.store import GateIsNewer


@contextmanager
def failures(request_id: str = "") -> Iterator[None]:
    """Turns what the domain and the store say into failures that cross the wire."""
    try:
        yield
    except Refused as error:
        raise errors.wrong_state(error.status.name, str(error)) from None
    except OutcomeUnknown:
        raise errors.outcome_unknown(request_id) from None
    except GateIsNewer:
        # The gate has moved on, and risk still admits by the one before.
        raise errors.dependency_unavailable("risk", 0.1) from None
    except StoreError as error:
        raise errors.dependency_unavailable("postgres") from error
