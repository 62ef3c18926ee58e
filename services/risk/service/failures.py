"""What the domain and the kernel refuse, as failures of the request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from crossrate.kernel.faults import ArgumentError
from crossrate.kernel.revalue import MARKET_RULES, POSITION_RULES, SHIFT_RULES, Scenarios
from crossrate.rpc import errors
from services.risk.domain.book import Book
from services.risk.domain.refusal import Refused


@contextmanager
def failures(book: Book | None = None, scenarios: Scenarios | None = None, field: str = "book") -> Iterator[None]:
    """Turns refusals into INVALID_REQUEST.

    Args:
        book: the one that the kernel is given.
        scenarios: the ones that the request gives.
        field: the book's path in the request.
    """
    try:
        yield
    except Refused as error:
        raise errors.invalid((error.field, error.words)) from None
    except ArgumentError as error:
        raise errors.invalid((_place(error, book, scenarios, field), f"is {error.value!r}: {error.says}")) from None


def _place(error: ArgumentError, book: Book | None, scenarios: Scenarios | None, field: str) -> str:
    """Where in the request the kernel's argument stands."""
    name, index = error.argument, error.index
    if name in MARKET_RULES:
        return f"{field}.markets[{index}].{name}"
    if name in POSITION_RULES:
        return f"{field}.{name}[{0 if book is not None and name in book.lone else index}]"
    if name in SHIFT_RULES and isinstance(index, tuple) and scenarios is not None:
        row, column = index
        return f"given.{name}[{row * scenarios.spot_return.shape[1] + column}]"
    return name if index is None else f"{name}[{index}]"
