"""What the domain, the kernel and the store refuse, as failures of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from crossrate.basics.calendar import OutsideCalendar
from crossrate.kernel.faults import ArgumentError, Reason
from crossrate.rpc import errors
from crossrate.store.errors import OutcomeUnknown, RequestIdReused, StoreUnavailable
from services.pricing.domain.refusal import Missing, Refused
from services.pricing.store import VersionIsAnother

GIVEN = ("spot", "volatility", "domestic_rate", "foreign_rate")
"""The arrays of a batch's own market."""

NO_VOLATILITY = (
    "no volatility from 0 to 100 gives this premium: give one from the discounted intrinsic value to the discounted "
    "forward of a call, or strike of a put, or set skip_unsolved"
)


@contextmanager
def failures(request_id: str = "", *, given: str = "") -> Iterator[None]:
    """What the domain, the kernel and the store refuse, as failures of the contract.

    Args:
        given: what stands before the names of a batch's market in the request.
    """
    try:
        yield
    except Refused as error:
        raise errors.invalid((error.field, error.words)) from None
    except Missing as error:
        raise errors.not_found(error.resource, error.name, error.remedy) from None
    except OutsideCalendar as error:
        raise errors.outside_calendar(str(error), error.first.isoformat(), error.last.isoformat()) from None
    except ArgumentError as error:
        words = NO_VOLATILITY if error.argument == "price" and error.reason is Reason.NO_SOLUTION else error.says
        raise errors.invalid((_place(error, given), f"is {error.value!r}: {words}")) from None
    except VersionIsAnother as error:
        raise errors.version_conflict(error.expected, error.actual) from None
    except RequestIdReused:
        raise errors.request_id_reused(request_id) from None
    except OutcomeUnknown:
        raise errors.outcome_unknown(request_id) from None
    except StoreUnavailable as error:
        raise errors.dependency_unavailable("postgres") from error


def _place(error: ArgumentError, given: str) -> str:
    path = f"{given}{error.argument}" if error.argument in GIVEN else error.argument
    return path if error.index is None else f"{path}[{error.index}]"
