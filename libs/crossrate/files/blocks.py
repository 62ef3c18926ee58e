"""A stream cut into blocks of whole lines. No line is ever read beyond its limit."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from crossrate.files.containers import Limits, Member, Transcoded
from crossrate.files.failure import TEXT_MAX, FileFailure, Rejected


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines.

    Attributes:
        data: the lines, each with its line end, the last perhaps without.
        line: number of the first, from 1.
        too_long: a line behind these that was longer than allowed.
        lines: how many lines are in `data`.
        end: bytes of the text, from its begin to behind these lines and one that was too long.
    """

    data: bytes
    line: int
    lines: int
    too_long: Rejected | None = None
    end: int = 0


def decoded(member: Member) -> tuple[bytes, object]:
    """The first bytes of a member and the stream of the rest, as UTF-8 without a byte-order mark.

    Raises:
        FileFailure: it is empty, or it is not text.
    """
    stream = member.stream
    begin = stream.read(4096)
    if not begin:
        raise FileFailure(member.name, "is empty")
    if begin.startswith(codecs.BOM_UTF8):
        return begin[3:], stream
    if begin.startswith(codecs.BOM_UTF16_LE) or (begin[1:4:2] == b"\0\0" and begin[:1] != b"\0"):
        return b"", Transcoded(stream, member.name, "utf-16-le", begin)
    if begin.startswith(codecs.BOM_UTF16_BE):
        return b"", Transcoded(stream, member.name, "utf-16-be", begin)
    if b"\0" in begin:
        raise FileFailure(member.name, "is not text: it holds NUL bytes")
    return begin, stream


def _lines(data: bytes) -> int:
    """How many lines end in it; `bytes.count` stops at each of them."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == 10))


def blocks(member: Member, limits: Limits) -> Iterator[Block]:
    """The lines of a member; a line longer than allowed is left out and told of.

    Raises:
        FileFailure: the stream is damaged, empty or not text.
    """
    carry, stream = decoded(member)
    line, at, width = 1, 0, 1
    while True:
        size = max(limits.block_bytes - len(carry), 4096)
        # Where lines are alike a block ends with one, and nothing is copied to make it do so.
        part = stream.read(size - (size + len(carry)) % width)
        data = carry + part if carry else part
        if not part:
            if data:
                yield Block(data, line, _lines(data) + (not data.endswith(b"\n")), end=at + len(data))
            return
        end = data.rfind(b"\n") + 1
        first = data.find(b"\n")
        width = min(max(data.find(b"\n", first + 1) - first, 1), 1024)
        carry = data[end:]
        lines = _lines(data)
        if len(carry) <= limits.line_bytes_max:
            at += end
            if end:
                yield Block(data[:end], line, lines, end=at)
            line += lines
            continue
        reason = f"is longer than {limits.line_bytes_max} bytes: it is no row, or the delimiter of lines is another"
        rejected = Rejected.of(line + lines, carry[: 4 * TEXT_MAX], reason)
        carry, passed = _after_line(stream, limits)
        at += len(data) + passed
        yield Block(data[:end], line, lines, rejected, at)
        line += lines + 1


def _after_line(stream, limits: Limits) -> tuple[bytes, int]:
    """What follows the end of the line in which the stream stands, and how many bytes were passed over."""
    passed = 0
    while part := stream.read(limits.block_bytes):
        place = part.find(b"\n")
        if place >= 0:
            return part[place + 1 :], passed + place + 1
        passed += len(part)
    return b"", passed
