"""What can go wrong with a store."""

from __future__ import annotations

import errno
import re

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class HistoryError(Exception):
    """Something of the store went wrong; unless another error says otherwise, it is as it was before the call."""


class UncertainError(HistoryError):
    """A commit failed in a way that does not tell whether the store has it: ask for the position, or write it again
    with the same one."""


class StoreFullError(HistoryError):
    """There is no room for what was to be written."""


class DatasetDiffersError(HistoryError):
    """A dataset of that name is there, with other content."""


class NotAStoreError(HistoryError):
    """What is there is not a store of quotes."""


class ContendedError(HistoryError):
    """Others committed again and again before this did."""


class PositionMovedError(HistoryError):
    """A source is not where the writer believed it to be: somebody else writes it. Nothing was committed."""


class DamagedError(HistoryError):
    """A file of the store cannot be read, or is not what was committed."""


class MissingPartError(HistoryError):
    """A file that a load was to go on from is not there any more: it is begun anew."""


class UnknownVenueError(HistoryError):
    """Several venues have quotes, and the question is of one."""


def is_full(error: BaseException) -> bool:
    """Whether an error says that there was no room; other libraries say it in their words."""
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    found = re.search(r"\(os error (\d+)\)", str(error))
    return bool(found and int(found[1]) in FULL)
