"""A part of a file as its readers get it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.files.candles import Candles
from crossrate.files.failure import Rejected
from crossrate.ticks.columns import Ticks


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

    def line_of(self, row: int) -> int:
        """The line of a quote or of a bar, from 1; in a file without lines the number of the record."""
        return self.first_line + row if self.row_lines is None else int(self.row_lines[row])
