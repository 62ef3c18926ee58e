"""Files as one stream."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.history.merge import Source, merged
from crossrate.history.parquet import Block, in_order, joined, part

rows = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=1, max_size=25)


def source(pairs: list[tuple[int, int]], origin: int, size: int, opened: list[int]) -> tuple[Source, Block]:
    """A source of rows that know where they come from, in blocks of a size."""
    times, numbers = np.array(pairs).T
    block = in_order(
        {"venue_time": times, "sequence": numbers.astype(np.uint64), "row": np.arange(len(times)) + origin * 1000}
    )

    def blocks():
        opened.append(origin)
        for begin in range(0, len(times), size):
            yield part(block, begin, min(begin + size, len(times)))

    return Source(int(block["venue_time"][0]), blocks), block


@settings(max_examples=400, deadline=None)
@given(st.lists(rows, max_size=5), st.integers(1, 7))
def test_rows_come_in_order_whatever_overlaps(files: list[list[tuple[int, int]]], size: int) -> None:
    """Overlapping files in blocks of any size are one stream, equal rows in the order of the files."""
    opened: list[int] = []
    made = [source(pairs, number, size, opened) for number, pairs in enumerate(files)]
    found = list(merged([each for each, _ in made]))
    assert len(opened) == len(files)
    if not files:
        assert found == []
        return
    whole = joined([block for _, block in made])
    order = np.lexsort((whole["sequence"], whole["venue_time"]))
    assert joined(found)["row"].tolist() == whole["row"][order].tolist()


def test_a_file_is_opened_when_it_is_due() -> None:
    """While the first of two files that do not overlap is read, the second is closed."""
    opened: list[int] = []
    stream = merged([source([(n, 0)], n, 1, opened)[0] for n in range(5)])
    next(stream)
    assert opened == [0]
    list(stream)
    assert opened == [0, 1, 2, 3, 4]
