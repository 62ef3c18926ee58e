"""What goes wrong with a file: as a whole, or in one of its lines."""

from __future__ import annotations

from dataclasses import dataclass

TEXT_MAX = 200
"""Characters of a rejected line that are kept."""


class FileFailure(ValueError):
    """A file that cannot be read on. The message names the file, the line where there is one, and what would help."""

    def __init__(self, source: str, reason: str, *, line: int | None = None) -> None:
        """For a file or a member of one.

        Args:
            source: name of the file, with the member after a colon.
            reason: what is wrong, and the remedy.
            line: number of the line, from 1.
        """
        super().__init__(f"{source}{f', line {line}' if line else ''}: {reason}")
        self.source = source
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that is no quote and no bar.

    Attributes:
        line: its number in its file or member, from 1; in a file without lines the number of the record.
        text: the line, at most TEXT_MAX characters.
        reason: what is wrong with it.
    """

    line: int
    text: str
    reason: str

    @classmethod
    def of(cls, line: int, text: bytes | str, reason: str) -> Rejected:
        """With the text cut and made printable."""
        text = text[: 4 * TEXT_MAX].decode("utf-8", "replace") if isinstance(text, bytes) else text
        text = text.rstrip("\r\n")
        printable = "".join(
            each if each.isprintable() or each == "\t" else "\N{REPLACEMENT CHARACTER}" for each in text
        )
        return cls(line, printable[:TEXT_MAX], reason)
