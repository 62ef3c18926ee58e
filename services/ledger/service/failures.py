"""What goes wrong below a call, as failures that a caller can act on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from crossrate.rpc import errors
from crossrate.store.errors import OutcomeUnknown, RequestIdReused, StaleWriter, StoreUnavailable
from services.ledger.domain.entry import BookingFault
from services.ledger.domain.valuation import Unvalued
from services.ledger.store.books import UnknownAccount


@contextlib.contextmanager
def failures(request_id: str = "") -> Iterator[None]:
    """Turns errors of the store and the domain into failures."""
    try:
        yield
    except UnknownAccount as unknown:
        raise errors.not_found("account", unknown.args[0], "OpenAccount opens it") from None
    except RequestIdReused:
        raise errors.request_id_reused(request_id) from None
    except OutcomeUnknown:
        raise errors.outcome_unknown(request_id) from None
    except (StoreUnavailable, StaleWriter) as error:
        raise errors.dependency_unavailable("postgres") from error
    except BookingFault as fault:
        raise errors.wrong_state("NOT_BOOKABLE", str(fault)) from fault
    except Unvalued as missing:
        raise errors.no_quote(missing.instrument, "none") from None
