"""`crossrate audit export` and `verify`: the log into a file, and the check of a file or of the live log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crossrate.api.audit.v1 import export_pb2
from crossrate.cli import show
from crossrate.cli.show import CommandError
from crossrate.runtime.place import place
from crossrate.transparency.export_file import (
    ExportError,
    end_line,
    header_line,
    open_for_writing,
    read_export,
    record_line,
)
from crossrate.transparency.note import NoteError, Verifier
from crossrate.transparency.verify import LogVerifier, Report
from crossrate.transparency.witness import CHECKPOINTS, Kept, read_witness

SHOWN_MAX = 20
"""Faults that are printed."""
TOLD_S = 0.2

Entry = export_pb2.ExportHeader | export_pb2.ExportRecord


class Progress:
    """Tells how far the work is, on a terminal; says nothing elsewhere."""

    def __init__(self, what: str, *, quiet: bool) -> None:
        self._what = what
        self._status = None if quiet or not show.aside().is_terminal else show.aside().status(what)
        self._told_s = 0.0
        self.leaves = 0

    def __enter__(self) -> Progress:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def at(self, done: int, whole: int) -> None:
        """Tells it, not too often."""
        if self._status is not None and time.monotonic() - self._told_s > TOLD_S:
            self._told_s = time.monotonic()
            self._status.update(f"{self._what} [dim]{self.leaves:,} facts, {100 * done // max(1, whole)} %[/]")


def export(file: Path, first: int, *, without_payloads: bool, who: str | None, as_json: bool) -> None:
    """The log into a file; a file of that name is replaced once the new one is whole."""
    fresh = file.with_name(f"{file.name}.part" + (".gz" if file.suffix == ".gz" else ""))
    size = 0
    try:
        with Progress("exporting", quiet=as_json) as told, open_for_writing(fresh) as out:
            for entry in live_entries(first, without_payloads=without_payloads, who=who):
                if isinstance(entry, export_pb2.ExportHeader):
                    size = entry.size
                    out.write(header_line(entry))
                    continue
                out.write(record_line(entry))
                if entry.HasField("leaf"):
                    told.leaves += 1
                    told.at(entry.leaf.index, size)
            out.write(end_line(size))
        fresh.replace(file)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}", "choose another place") from None
    finally:
        fresh.unlink(missing_ok=True)
    if as_json:
        show.document({"file": str(file), "first": first, "size": size})
    else:
        show.console().print(f"{told.leaves:,} facts up to the checkpoint {size:,} are in {file}", markup=False)


def live_entries(first: int, *, without_payloads: bool, who: str | None) -> Iterator[Entry]:
    """The header and the records of the live log; goes on where a stream that has ended by its age or a restart was."""
    from crossrate.api.common.v1 import stream_pb2
    from crossrate.cli.desk import connected

    cursor, begun = "", False
    with connected(who) as client:
        while True:
            stream = client.audit.ExportLog(first_index=first, resume_cursor=cursor, without_payloads=without_payloads)
            for answer in stream:
                cursor = answer.position.cursor
                match answer.WhichOneof("event"):
                    case "header" if not begun:
                        begun = True
                        yield answer.header
                    case "batch":
                        yield from answer.batch.records
                    case "end" if answer.end.reason == stream_pb2.STREAM_END_REASON_COMPLETE:
                        return


def verify(
    file: Path | None,
    key: str,
    witness: Path | None,
    witness_key: str,
    *,
    live: bool,
    who: str | None,
    as_json: bool,
) -> int:
    """Checks a file or the live log; the exit code."""
    if live == (file is not None):
        raise CommandError("name an exported log, or give --live", "crossrate audit export FILE makes one")
    began = time.monotonic()
    keys = [_key(key)] if key else []
    if live:
        keys, witness = keys or _own_keys(), witness or _own_witness()
    if not keys:
        raise CommandError("no public key to check with", "give --key; on the log's machine it is STATE/audit/1.pub")
    told, kept = _witnessed(witness)
    verifier = LogVerifier(keys, kept, _key(witness_key) if witness_key else told)
    with Progress("checking", quiet=as_json) as progress, _readable(file):
        entries = _live(who) if file is None else _file(file, progress)
        for entry in entries:
            if isinstance(entry, export_pb2.ExportHeader):
                verifier.header(entry)
                continue
            verifier.record(entry)
            if entry.HasField("leaf"):
                progress.leaves += 1
                if file is None:
                    progress.at(entry.leaf.index, verifier.report.size)
        report = verifier.end()
    _tell(report, time.monotonic() - began, witness is not None, as_json=as_json)
    return 0 if report.ok else 1


def _live(who: str | None) -> Iterator[Entry]:
    return live_entries(0, without_payloads=False, who=who)


def _file(file: Path, progress: Progress) -> Iterator[Entry]:
    whole = file.stat().st_size
    for _, at, entry in read_export(file):
        progress.at(at, whole)
        yield entry


@contextmanager
def _readable(file: Path | None) -> Iterator[None]:
    try:
        yield
    except ExportError as error:
        raise CommandError(f"{file}, {error}", "export it anew; what stands before that line was not judged") from None


def _key(text: str) -> Verifier:
    path = Path(text)
    try:
        return Verifier.parse(path.read_text() if "+" not in text or path.exists() else text)
    except (OSError, NoteError, UnicodeDecodeError) as error:
        raise CommandError(
            f"{text[:100]} is no public key: {error}", "give a file with it, or the key itself"
        ) from None


def _own_keys() -> list[Verifier]:
    path = place().state / "audit" / "1.pub"
    return [Verifier.parse(path.read_text())] if path.exists() else []


def _own_witness() -> Path | None:
    path = place().state / "witness" / CHECKPOINTS
    return path if path.exists() else None


def _witnessed(path: Path | None) -> tuple[Verifier | None, list[Kept]]:
    if path is None:
        return None, []
    try:
        key, kept = read_witness(path)
        return Verifier.parse(key), list(kept)
    except (NoteError, OSError) as error:
        raise CommandError(str(error), "give the file that the witness writes") from None


def _tell(report: Report, took_s: float, witnessed: bool, *, as_json: bool) -> None:
    if as_json:
        show.document(document(report, took_s))
        return
    faults = report.faults[:SHOWN_MAX]
    if faults:
        show.console().print(show.mark("the log is not what was signed", False), f"first at {faults[0]}", markup=False)
        for fault in faults[1:]:
            show.console().print(f"  {fault}", markup=False)
        if report.fault_count > len(faults):
            show.note(f"and {report.fault_count - len(faults)} more")
    for note in report.notes[:SHOWN_MAX]:
        show.note(note)
    seen = f"{report.witnessed} checkpoints of the witness" if witnessed else "no witness was asked"
    signed = f"{report.checkpoints} checkpoints, {seen}, {took_s:.1f} s"
    words = f"{report.leaves:,} facts of {report.streams} streams, {signed}"
    show.console().print(show.mark("verified" if report.ok else "NOT verified", report.ok), words, markup=False)
    if report.ok and not witnessed:
        show.note("without a witness's file a log that was put back whole to an earlier state cannot be told")


def document(report: Report, took_s: float) -> dict[str, Any]:
    """A report as JSON."""
    return {
        "ok": report.ok,
        "origin": report.origin,
        "firstIndex": report.first_index,
        "size": report.size,
        "facts": report.leaves,
        "streams": report.streams,
        "checkpoints": report.checkpoints,
        "tiles": report.tiles,
        "witnessed": report.witnessed,
        "dropped": report.dropped,
        "faultCount": report.fault_count,
        "faults": [
            {"first": each.first, "last": each.last, "kind": each.kind, "text": each.words} for each in report.faults
        ],
        "notes": report.notes,
        "seconds": round(took_s, 3),
    }
