"""What the store and the lease refuse, as failures of the contract; tokens of pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from crossrate.rpc import errors
from crossrate.store.errors import OutcomeUnknown, RequestIdReused, StaleWriter, StoreUnavailable
from services.risk.domain.refusal import Refused


@contextmanager
def kept(request_id: str = "") -> Iterator[None]:
    """Turns what the store refuses into failures."""
    try:
        yield
    except Refused as error:
        raise errors.invalid((error.field, error.words)) from None
    except RequestIdReused:
        raise errors.request_id_reused(request_id) from None
    except OutcomeUnknown:
        raise errors.outcome_unknown(request_id) from None
    except StaleWriter as error:
        # Another instance decides by now; the same request finds it there.
        raise errors.dependency_unavailable("risk", 0.2) from error
    except StoreUnavailable as error:
        raise errors.dependency_unavailable("postgres") from error


def token_of(text: str) -> int:
    """The number in a page's token; 0 without one.

    Raises:
        Failure: it is none that was given.
    """
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 18 or text.startswith("0"):
        raise errors.invalid(("page_token", "is none that was given: begin with an empty one"))
    return int(text)
