"""What risk cannot calculate with what it was given, in words for who gave it."""

from __future__ import annotations


class Refused(ValueError):
    """An argument cannot be used.

    Attributes:
        field: its path in the request ("book.market[3]"); a list's element with its index.
        words: what is wrong and what would be right.
    """

    def __init__(self, field: str, words: str) -> None:
        super().__init__(f"{field}: {words}")
        self.field = field
        self.words = words
