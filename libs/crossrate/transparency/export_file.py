"""An exported log as a file of JSON lines: a header, then records in the order in which they are checked.

    {"header": {"format": "crossrate-audit/1", "origin": …, "size": …, "first_index": 0, "frontier": [], …}}
    {"leaf": {"index": 0, "hash": …, "data": …, "salt": …, "payload": …, "service": …, "stream": …, …}}
    {"tile": {"level": 1, "number": 0, "hashes": …}}
    {"checkpoint": {"size": …, "root": …, "note": …}}
    {"stream": {"service": …, "stream": …, "last_sequence": …}}
    {"end": {"size": …}}

Bytes are base64. `hash` is SHA-256 of a zero byte and `data`, RFC 6962's leaf; `data` is a serialised
crossrate.api.audit.v1.Leaf. A name that ends in .gz is compressed.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from crossrate.api.audit.v1 import checkpoint_pb2, export_pb2, leaf_pb2

FORMAT = "crossrate-audit/1"
LINE_BYTES_MAX = 16 << 20


class ExportError(ValueError):
    """A file is no exported log; the message names the line."""


def open_for_writing(path: Path) -> IO[str]:
    """A new file, compressed if its name says so."""
    return gzip.open(path, "wt", encoding="utf-8") if path.suffix == ".gz" else path.open("w", encoding="utf-8")


def header_line(header: export_pb2.ExportHeader) -> str:
    """The first line."""
    keys = [{"number": key.number, "key": key.key, "since_index": key.since_index} for key in header.keys]
    return _line(
        header={
            "format": FORMAT,
            "origin": header.origin,
            "size": header.size,
            "first_index": header.first_index,
            "frontier": [_text(each) for each in header.frontier],
            "keys": keys,
            "time": header.time.ToJsonString(),
            "without_payloads": header.without_payloads,
        }
    )


def record_line(record: export_pb2.ExportRecord) -> str:
    """The line of a record."""
    match record.WhichOneof("record"):
        case "leaf":
            leaf = record.leaf
            shown: dict[str, Any] = {"index": leaf.index, "hash": _text(leaf.hash), "data": _text(leaf.data)}
            if leaf.dropped:
                shown["dropped"] = True
            if leaf.salt or leaf.payload:
                shown |= {"salt": _text(leaf.salt), "payload": _text(leaf.payload)}
            shown |= {"service": leaf.service, "stream": leaf.stream, "sequence": leaf.sequence, "type": leaf.type}
            return _line(leaf=shown | {"time_ns": leaf.time_ns, "keys": list(leaf.keys)})
        case "checkpoint":
            kept = record.checkpoint
            return _line(checkpoint={"size": kept.size, "root": _text(kept.root), "note": kept.note})
        case "tile":
            tile = record.tile
            return _line(tile={"level": tile.level, "number": tile.number, "hashes": _text(tile.hashes)})
        case "stream":
            at = record.stream
            return _line(stream={"service": at.service, "stream": at.stream, "last_sequence": at.last_sequence})
    return _line(stray=record.stray)


def end_line(size: int) -> str:
    """The last line."""
    return _line(end={"size": size})


def read_export(path: Path) -> Iterator[tuple[int, int, export_pb2.ExportHeader | export_pb2.ExportRecord]]:
    """The header and the records of a file, each with its line's number and the bytes of the file read so far.

    Raises:
        ExportError: a line is not what stands in an export, or the file was cut off.
        OSError: it cannot be read.
    """
    ended, number = False, 0
    with path.open("rb") as raw:
        file: Any = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
        try:
            while line := file.readline(LINE_BYTES_MAX):
                number += 1
                if ended:
                    raise ExportError(f"line {number}: something follows the end")
                if not line.endswith(b"\n"):
                    raise ExportError(f"line {number}: it was cut off, or is longer than {LINE_BYTES_MAX:,} bytes")
                parsed = _parse(line, number)
                if parsed is None:
                    ended = True
                else:
                    yield number, raw.tell(), parsed
        except (EOFError, gzip.BadGzipFile) as error:
            raise ExportError(f"behind line {number}: the compressed file is damaged: {error}") from None
    if not ended:
        raise ExportError(f"behind line {number}: the file has no end line: it was cut off")


def _parse(line: bytes, number: int) -> export_pb2.ExportHeader | export_pb2.ExportRecord | None:
    try:
        document = json.loads(line)
        ((kind, shown),) = document.items()
        if (number == 1) != (kind == "header"):
            raise ExportError(f"line {number}: the header stands in the first line and nowhere else")
        return None if kind == "end" else _READERS[kind](shown)
    except ExportError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        words = f"{type(error).__name__}: {error}"[:200]
        raise ExportError(f"line {number}: it is no record of an export ({words})") from None


def _header(shown: dict[str, Any]) -> export_pb2.ExportHeader:
    if shown["format"] != FORMAT:
        raise ExportError(f"line 1: the format is {shown['format']!r}, not {FORMAT}")
    header = export_pb2.ExportHeader(
        origin=shown["origin"],
        first_index=shown["first_index"],
        size=shown["size"],
        frontier=[_bytes(each) for each in shown["frontier"]],
        keys=[checkpoint_pb2.VerifierKey(**key) for key in shown["keys"]],
        without_payloads=shown["without_payloads"],
    )
    header.time.FromJsonString(shown["time"])
    return header


def _leaf(shown: dict[str, Any]) -> export_pb2.ExportRecord:
    for name in ("hash", "data", "salt", "payload"):
        if name in shown:
            shown[name] = _bytes(shown[name])
    return export_pb2.ExportRecord(leaf=export_pb2.ExportedLeaf(**shown))


def _checkpoint(shown: dict[str, Any]) -> export_pb2.ExportRecord:
    kept = checkpoint_pb2.Checkpoint(size=shown["size"], root=_bytes(shown["root"]), note=shown["note"])
    return export_pb2.ExportRecord(checkpoint=kept)


def _tile(shown: dict[str, Any]) -> export_pb2.ExportRecord:
    tile = leaf_pb2.Tile(level=shown["level"], number=shown["number"], hashes=_bytes(shown["hashes"]))
    return export_pb2.ExportRecord(tile=tile)


def _stream(shown: dict[str, Any]) -> export_pb2.ExportRecord:
    return export_pb2.ExportRecord(stream=leaf_pb2.AuditedStream(**shown))


def _stray(shown: str) -> export_pb2.ExportRecord:
    return export_pb2.ExportRecord(stray=shown)


_READERS = {
    "header": _header,
    "leaf": _leaf,
    "checkpoint": _checkpoint,
    "tile": _tile,
    "stream": _stream,
    "stray": _stray,
}


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(value: str) -> bytes:
    return base64.b64decode(value, validate=True)


def _line(**document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
