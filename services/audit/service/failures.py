"""What the store raises as what the caller can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.protobuf.message import DecodeError

from crossrate.rpc import errors
from crossrate.store.errors import OutcomeUnknown, RequestIdReused, StoreUnavailable
from services.audit.keys import KeyMissing
from services.audit.store.log import Overtaken
from services.audit.store.tree import LogChanged

CHANGED = "LOG_CHANGED"


@contextmanager
def failures(request_id: str = "") -> Iterator[None]:
    """Turns them into failures of the contract."""
    try:
        yield
    except RequestIdReused:
        raise errors.request_id_reused(request_id) from None
    except OutcomeUnknown:
        raise errors.outcome_unknown(request_id) from None
    except (LogChanged, DecodeError) as error:
        words = f"the tables of the log were changed ({error}); `crossrate audit verify --live` shows where"
        raise errors.wrong_state(CHANGED, words) from None
    except KeyMissing as error:
        raise errors.wrong_state("KEY_MISSING", str(error)) from None
    except (StoreUnavailable, Overtaken) as error:
        raise errors.dependency_unavailable("postgres") from error
