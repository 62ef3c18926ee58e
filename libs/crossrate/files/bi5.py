"""Dukascopy's data feed: one hour of ticks in an LZMA stream of records of 20 bytes.

A record has milliseconds since the hour, ask and bid in points, and the quantities of both in millions, all big-endian.
The folder says the rest: EURUSD/2014/04/08/13h_ticks.bi5 is 13:00 UTC of 8 May 2014, for months count from 00. An hour
without quotes is a file of no bytes.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from crossrate.files.assemble import Assembler
from crossrate.files.chunk import Chunk
from crossrate.files.containers import Limits
from crossrate.files.failure import FileFailure
from crossrate.files.fields import Fields
from crossrate.files.plan import Plan, instrument_of, named
from crossrate.files.records import chunk_of
from crossrate.files.shape import Role, Shape
from crossrate.files.stamps import parse_one
from crossrate.ticks.clock import HOUR, Clock

RECORD = np.dtype([("time", ">u4"), ("ask", ">u4"), ("bid", ">u4"), ("ask_quantity", ">f4"), ("bid_quantity", ">f4")])
ROWS = 1 << 16
MS = 1_000_000


def read_bi5(path: Path, shape: Shape, instrument: str | None, limits: Limits) -> Iterator[Chunk]:
    """The ticks of one hour.

    Raises:
        FileFailure: the path does not say which hour, or the stream is damaged or too large.
    """
    said = named(shape, path.absolute().as_posix())
    stamp = None
    if {"year", "month", "day", "hour"} <= said.keys() and said["month"] < "12":
        month = int(said["month"]) + 1
        stamp = parse_one(f"{said['year']}{month:02}{said['day']}{said['hour']}", ("%Y%m%d%H",))
    if stamp is None:
        raise FileFailure(
            str(path), "its folders do not say which hour it is of, as EURUSD/2014/04/08/13h_ticks.bi5 does"
        )
    what = instrument_of(shape, str(path), said, instrument, None)
    places = {role: place for place, role in enumerate(shape.roles)}
    plan = Plan(shape, places, len(places), what, stamp, 10.0 ** shape.digits(what), Clock.parse(shape.clock), False)
    records = np.frombuffer(_unpacked(path, limits), RECORD)
    assembler = Assembler(plan)
    for begin in range(0, max(len(records), 1), ROWS):
        part = records[begin : begin + ROWS]
        since = part["time"].astype(np.int64) * MS
        numbers = {role: part[str(role)].astype(np.float64) for role in places if role is not Role.TIME}
        yield chunk_of(str(path), Fields(since + stamp, numbers, since < HOUR), begin + 1, assembler)


def _unpacked(path: Path, limits: Limits) -> bytes:
    """The records; a stream that breaks off or does not end with a record is refused."""
    try:
        packed = path.read_bytes() if path.stat().st_size <= limits.block_bytes else None
    except OSError as error:
        raise FileFailure(str(path), f"cannot be read: {error.strerror}") from error
    if packed is None:
        raise FileFailure(str(path), f"is larger than {limits.block_bytes} bytes, which no hour of ticks is")
    if not packed:
        return b""
    allowed = min(limits.expanded(len(packed)), 64 * limits.block_bytes)
    try:
        unpacker = lzma.LZMADecompressor()
        data = unpacker.decompress(packed, allowed + 1)
    except lzma.LZMAError as error:
        raise FileFailure(str(path), f"is no LZMA stream ({error}); fetch it again") from error
    if len(data) > allowed:
        raise FileFailure(str(path), f"expands to more than {allowed} bytes; raise the limit if it is right")
    if not unpacker.eof or len(data) % RECORD.itemsize:
        raise FileFailure(str(path), f"is cut off after {len(data)} bytes; fetch it again")
    return data
