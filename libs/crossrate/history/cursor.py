"""Where a reader of quotes has come to."""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FORM = struct.Struct(">BqI")
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the quotes of an instrument, which compaction does not move.

    Quotes that are stored later with a venue time before it are not read on from it.
    """

    venue_time: int
    """Of the last quote that was read, ns since 1970 UTC; where to begin if none was."""
    count: int = 0
    """How many quotes of that time were read."""

    def after(self, times: NDArray[np.int64]) -> Cursor:
        """The cursor after some more quotes."""
        last = int(times[-1])
        count = len(times) - int(np.searchsorted(times, last))
        return Cursor(last, count + (self.count if last == self.venue_time else 0))

    def token(self) -> str:
        """The cursor as text for a URL or a message."""
        return base64.urlsafe_b64encode(FORM.pack(FORMAT, self.venue_time, self.count)).decode().rstrip("=")

    @classmethod
    def of(cls, token: str) -> Cursor:
        """The cursor of a text.

        Raises:
            ValueError: it is none.
        """
        try:
            form, venue_time, count = FORM.unpack(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        except (struct.error, binascii.Error, ValueError, UnicodeEncodeError) as wrong:
            raise ValueError(f"resume {token!r} is no cursor of quotes") from wrong
        if form != FORMAT:
            raise ValueError(f"resume {token!r} is a cursor of format {form}, this version reads {FORMAT}")
        return cls(venue_time, count)
