"""A part of a file as its readers get it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.files.candles import Candles
from crossrate.files.failure import Rejected
from crossrate.ticks.columns import Ticks


@dataclass(frozen=True, slots=True)
class Place:
    """How far a file was read: another reading of the same bytes by the same shape may begin there.

    Attributes:
        member: number of the member of an archive, from 0; 0 for a file that is none.
        end: bytes of the member's text, or records, that were read.
        rejected: lines of the file so far that were no rows.
        state: what the rows before say about those that follow, as JSON takes it.
    """

    member: int
    end: int
    rejected: int
    state: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Rows of one instrument, in the order of the file.

    Attributes:
        member: the file, with the member of an archive after a colon.
        instrument: what they are of.
        ticks: the quotes; of bars two each, their open and their close.
        candles: the bars; None in a file of quotes.
        rejected: lines that are no rows.
        lines: lines that were read for this, the rejected and the header with them.
        first_line: number of the line of the first row, if `row_lines` is None.
        row_lines: number of each row's line; None if every line from the first is a row.
        repeated: rows whose local time comes twice on that day; the order of rows decided.
        place: where a reading that begins behind this begins; None where that cannot be.
    """

    member: str
    instrument: str
    ticks: Ticks
    candles: Candles | None
    rejected: tuple[Rejected, ...]
    lines: int
    first_line: int
    row_lines: NDArray[np.int64] | None
    repeated: int = 0
    place: Place | None = None

    def line_of(self, row: int) -> int:
        """The line of a quote or of a bar, from 1; in a file without lines the number of the record."""
        return self.first_line + row if self.row_lines is None else int(self.row_lines[row])
