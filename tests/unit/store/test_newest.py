"""What was committed just now, as the relay finds it."""

from __future__ import annotations

from crossrate.store import Entry, Fact, Newest
from crossrate.store.newest import EVENTS_MAX


def entries(stream: str, first: int, last: int) -> list[Entry]:
    """Events of a stream from one number to another."""
    return [Entry(stream, n, Fact("s", "t", b"%d" % n, n)) for n in range(first, last + 1)]


def numbers(found: list[Entry]) -> list[tuple[str, int]]:
    """Streams and numbers."""
    return [(each.stream, each.seq) for each in found]


def test_only_what_goes_on_where_the_relay_is_comes_from_memory() -> None:
    """A gap before it, or in it, leaves a stream to the journal."""
    newest = Newest()
    newest.committed(entries("a", 1, 3))
    assert newest.after({}, 10) == []  # no relay works here yet
    newest.begin()
    newest.committed(entries("a", 4, 6))
    newest.committed(entries("b", 1, 2))
    assert numbers(newest.after({}, 10)) == [("b", 1), ("b", 2)]
    assert numbers(newest.after({"a": 3}, 4)) == [("a", 4), ("a", 5), ("b", 1), ("b", 2)]
    newest.published({"a": 5, "b": 2})
    assert numbers(newest.after({"a": 5, "b": 2}, 10)) == [("a", 6)]
    newest.committed(entries("a", 9, 9))
    assert newest.after({"a": 5, "b": 2}, 10) == []
    assert numbers(newest.after({"a": 8, "b": 2}, 10)) == [("a", 9)]
    newest.end()
    assert newest.after({"a": 8}, 10) == []


def test_memory_is_bounded() -> None:
    """More than it may hold is forgotten as a whole."""
    newest = Newest()
    newest.begin()
    newest.committed(entries("a", 1, EVENTS_MAX))
    newest.committed(entries("a", EVENTS_MAX + 1, EVENTS_MAX + 1))
    assert newest.after({}, 10) == []
    newest.committed(entries("a", EVENTS_MAX + 2, EVENTS_MAX + 2))
    assert numbers(newest.after({"a": EVENTS_MAX + 1}, 10)) == [("a", EVENTS_MAX + 2)]
