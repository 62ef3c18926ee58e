"""Whether every fact is there: in each journal stream 1, 2, 3 …, each once, but those known to be missing."""

from __future__ import annotations

from collections.abc import Iterator

Source = tuple[str, str]
"""Service and journal stream."""


class Continuity:
    """The numbers that were seen of each journal stream, and what is missing between them."""

    def __init__(self) -> None:
        self.last: dict[Source, int] = {}
        self._missing: dict[Source, list[tuple[int, int, int]]] = {}

    def seen(self, source: Source, sequence: int, index: int, *, from_start: bool = True) -> str:
        """Takes the number of the fact at a place of the log; says what is wrong with it, or nothing.

        With `from_start` a stream begins with 1, else wherever it is first seen.
        """
        last = self.last.get(source)
        if last is None:
            last = 0 if from_start else sequence - 1
        if sequence > last:
            if sequence > last + 1:
                self._missing.setdefault(source, []).append((last + 1, sequence - 1, index))
            self.last[source] = sequence
            return ""
        return "" if self._take(source, sequence) else f"fact {sequence} of {name_of(source)} is there twice"

    def _take(self, source: Source, sequence: int) -> bool:
        """Takes a number out of those that are missing; whether it was among them."""
        kept = self._missing.get(source, [])
        for place, (first, last, index) in enumerate(kept):
            if first <= sequence <= last:
                parts = [(first, sequence - 1, index), (sequence + 1, last, index)]
                kept[place : place + 1] = [part for part in parts if part[0] <= part[1]]
                return True
        return False

    def know_missing(self, source: Source, first: int, last: int) -> None:
        """Takes over what was known to be missing."""
        self._missing.setdefault(source, []).append((first, last, 0))

    def missing(self) -> Iterator[tuple[Source, int, int, int]]:
        """What is missing: source, first and last number, and the place of the fact that came after them."""
        for source, kept in self._missing.items():
            for first, last, index in kept:
                yield source, first, last, index


def name_of(source: Source) -> str:
    """A source in words."""
    return f"{source[0]}, stream {source[1]!r}" if source[1] else source[0]
