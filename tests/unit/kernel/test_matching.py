"""The bare order book: what the exchange's tests do not see of it. Its rules are tested in tests/unit/exchange."""

from __future__ import annotations

import numpy as np
import pytest

from crossrate.kernel import ArgumentError, ShapeError, matching, path
from crossrate.kernel.faults import Reason
from crossrate.kernel.matching import Fact, Kept, Matcher
from tests.kernel_build import kernel_build
from tests.unit.exchange.compare import compare
from tests.unit.exchange.flow import commands


def test_a_book_does_what_the_naive_one_does(build: str) -> None:
    """Random commands, a part of them nonsense."""
    assert set(compare(seed=31, steps=1500, width=10)) == set(range(1, 9))


def test_little_room_for_events_changes_nothing(build: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A book that is stopped after every step, for want of room, goes on where it was."""
    rows = commands(8, 1500)
    whole = Matcher(40).run(rows)
    monkeypatch.setattr(matching, "ROOM", 4)
    assert np.array_equal(Matcher(40).run(rows), whole)


def test_a_full_book_of_many_levels_and_owners(build: str) -> None:
    """Every order at its own price, of its own owner, with its own expiry: the memory is enough for all."""
    count = 300
    rows = np.zeros((count + 1, 16), np.int64)
    rows[:, 0] = 1
    rows[:, 1] = rows[:, 2] = np.arange(1, count + 2)
    rows[:, 3], rows[:, 4], rows[:, 5], rows[:, 6] = 1, 2, 6, 5
    rows[:, 7] = np.random.default_rng(3).permutation(count + 1) * 1_000_003 % 999_983 + 1
    rows[:, 10] = 10_000 - np.arange(count + 1)
    book = Matcher(count)
    events = book.run(rows)
    assert events[-1, 12] == 19
    price, quantity, orders = book.depth(1, count)
    assert price.tolist() == sorted(rows[:count, 7].tolist(), reverse=True)
    assert (quantity == 5).all()
    assert (orders == 1).all()
    assert len(book.run(np.array([[5, *(0,) * 14, 20_000]]))) == count
    assert book.facts()[Fact.ORDERS] == 0


def kept(**changes: int) -> np.ndarray:
    """Two orders as they are kept; the first one changed."""
    book = Matcher(5)
    rows = np.zeros((2, 16), np.int64)
    rows[:, :8] = [[1, 1, 1, 1, 2, 1, 10, 100], [1, 2, 2, 2, 2, 1, 10, 101]]
    book.run(rows)
    orders = book.orders()
    for column, value in changes.items():
        orders[0, Kept[column] if column in Kept.__members__ else matching.Command[column] - 1] = value
    return orders


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ID": 0}, Reason.OUT_OF_RANGE),
        ({"ID": 2}, Reason.INCONSISTENT),
        ({"PRICE": 101}, Reason.INCONSISTENT),
        ({"LEAVES": 0}, Reason.OUT_OF_RANGE),
        ({"LEAVES": 11}, Reason.OUT_OF_RANGE),
        ({"SHOWN": 9}, Reason.OUT_OF_RANGE),
        ({"EXTREME": 5}, Reason.OUT_OF_RANGE),
        ({"PRIORITY": 2}, Reason.NOT_ASCENDING),
        ({"PRIORITY": 3}, Reason.OUT_OF_RANGE),
        ({"RANK": 2}, Reason.NOT_ASCENDING),
        ({"TIME_IN_FORCE": 3}, Reason.OUT_OF_RANGE),
        ({"INSTRUCTIONS": 8}, Reason.OUT_OF_RANGE),
    ],
)
def test_orders_that_no_book_has_are_refused(build: str, changes: dict[str, int], reason: Reason) -> None:
    """A state from outside is checked before a book goes on with it."""
    facts = np.array([5, 0, 2, 0, 0, 0, 2, 2])
    Matcher(5).load(facts, kept())
    with pytest.raises(ArgumentError) as refused:
        Matcher(5).load(facts, kept(**changes))
    assert refused.value.reason is reason


def test_a_book_that_has_done_something_loads_nothing(build: str) -> None:
    """A state goes into an empty book."""
    book = Matcher(5)
    facts = np.array([5, 0, 2, 0, 0, 0, 2, 2])
    book.load(facts, kept())
    with pytest.raises(ArgumentError):
        book.load(facts, kept())
    with pytest.raises(ArgumentError):
        Matcher(5).load(np.array([5, 0, -1, 0, 0, 0, 2, 2]), kept())
    with pytest.raises(ArgumentError):
        Matcher(1).load(facts, kept())


def test_records_of_another_shape_are_refused(build: str) -> None:
    """As by every function of the kernel."""
    with pytest.raises(ShapeError, match=r"commands has shape \(3, 5\)"):
        Matcher(5).run(np.zeros((3, 5), np.int64))
    with pytest.raises(TypeError):
        Matcher(5).run(np.zeros((3, 16), np.int32))
    with pytest.raises(ShapeError):
        Matcher(5).load(np.zeros(7, np.int64), kept())


def test_python_and_c_have_the_same_columns_and_reasons() -> None:
    """The enumerations of the header and of the binding agree, name by name."""
    text = kernel_build().declarations()
    for prefix, names in (("XR_C_", matching.Command), ("XR_E_", matching.Event)):
        for each in names:
            assert f"{prefix}{each.name} = {each.value}" in text
    for name in matching.reference.Why.__members__:
        assert f"XR_{name} = {matching.reference.Why[name].value}" in text, name


def test_memory_that_is_no_book_is_a_fault() -> None:
    """C says so instead of reading it."""
    if path.lib is None:
        pytest.skip(f"the kernel is not compiled here: {path.why_not_compiled()}")
    words, out = np.zeros(4000, np.int64), np.zeros(200, np.int64)
    book, memory = matching.pointer(words), matching.pointer(out)
    assert path.lib.xr_matching_run(4000, book, 0, memory, 4, memory, memory)
    assert path.lib.xr_matching_facts(4000, book, memory)
    assert path.lib.xr_matching_begin(5, 100, book)
    assert path.lib.xr_matching_words(0, memory)
    assert path.lib.xr_matching_begin(5, 4000, book) == 0
    assert path.lib.xr_matching_run(4000, book, 0, memory, 3, memory, memory)
    assert path.lib.xr_matching_run(300, book, 0, memory, 4, memory, memory)
    assert path.lib.xr_matching_depth(4000, book, 3, 1, memory, memory, memory, memory)
