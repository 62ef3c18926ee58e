"""The check of an export: on logs made here, without any service."""

from __future__ import annotations

import gzip
from hashlib import sha256
from pathlib import Path

import pytest
from google.protobuf.message import Message

from crossrate.api.audit.v1 import audit_events_pb2, checkpoint_pb2, export_pb2, leaf_pb2
from crossrate.transparency.checkpoint import Checkpoint, sign_checkpoint
from crossrate.transparency.export_file import (
    ExportError,
    end_line,
    header_line,
    open_for_writing,
    read_export,
    record_line,
)
from crossrate.transparency.note import Signer, Verifier
from crossrate.transparency.tree import Frontier, hash_leaf
from crossrate.transparency.verify import LogVerifier, Report

ORIGIN = "crossrate/audit"
OLD, NEW = Signer.generate(ORIGIN), Signer.generate(ORIGIN)
PREFIX = "crossrate.api.audit.v1."


class Made:
    """A log that is made by hand."""

    def __init__(self) -> None:
        self.records: list[export_pb2.ExportRecord] = []
        self.frontier = Frontier()
        self.previous = 0
        self.sequences: dict[tuple[str, str], int] = {}
        self.keys: list[str] = []
        self.own(audit_events_pb2.SigningKeyRotated(number=1, key=str(OLD.verifier)))

    def fact(
        self, service: str, stream: str, sequence: int, kind: str, payload: bytes, changes: dict[str, object]
    ) -> None:
        """One leaf."""
        salt = bytes(16)
        header = leaf_pb2.Leaf(
            service=service,
            stream=stream,
            sequence=sequence,
            type=kind,
            keys=["account:alpha"],
            payload_hash=sha256(salt + payload).digest(),
            payload_form=leaf_pb2.PAYLOAD_FORM_PROTOBUF,
        )
        header.time.seconds = 1_750_000_000 + sequence
        data = header.SerializeToString(deterministic=True)
        leaf = export_pb2.ExportedLeaf(
            index=self.frontier.size,
            hash=hash_leaf(data),
            data=data,
            salt=salt,
            payload=payload,
            service=service,
            stream=stream,
            sequence=sequence,
            type=kind,
            time_ns=header.time.seconds * 1_000_000_000,
            keys=header.keys,
        )
        for name, value in changes.items():
            setattr(leaf, name, value)
        self.frontier.append(leaf.hash)
        self.sequences[service, stream] = max(sequence, self.sequences.get((service, stream), 0))
        self.records.append(export_pb2.ExportRecord(leaf=leaf))

    def order(self, sequence: int, *, dropped: bool = False) -> None:
        """A fact of trading, its payload there or dropped."""
        gone = {"dropped": True, "payload": b"", "salt": b""} if dropped else {}
        self.fact("trading", "accounts/alpha", sequence, "x.Order", b"order", gone)

    def own(self, message: Message) -> None:
        """A fact about the log."""
        sequence = self.sequences.get(("audit", "log"), 0) + 1
        kind = message.DESCRIPTOR.full_name
        self.fact("audit", "log", sequence, kind, message.SerializeToString(), {})
        if isinstance(message, audit_events_pb2.SigningKeyRotated):
            self.keys.append(message.key)

    def sign(self, *signers: Signer) -> None:
        """A checkpoint."""
        checkpoint = Checkpoint(ORIGIN, self.frontier.size, self.frontier.root(), (f"previous {self.previous}",))
        note = sign_checkpoint(checkpoint, signers)
        kept = checkpoint_pb2.Checkpoint(size=checkpoint.size, root=checkpoint.root, note=note)
        self.records.append(export_pb2.ExportRecord(checkpoint=kept))
        self.previous = checkpoint.size

    def header(self) -> export_pb2.ExportHeader:
        """The header."""
        header = export_pb2.ExportHeader(origin=ORIGIN, size=self.previous)
        header.time.seconds = 1_790_000_000
        for number, key in enumerate(self.keys, start=1):
            header.keys.add(number=number, key=key)
        return header

    def end(self) -> list[export_pb2.ExportRecord]:
        """All records, with the ends of streams."""
        ends = [
            export_pb2.ExportRecord(stream=leaf_pb2.AuditedStream(service=service, stream=stream, last_sequence=last))
            for (service, stream), last in self.sequences.items()
        ]
        return [*self.records, *ends]

    def report(self, key: Verifier = OLD.verifier) -> Report:
        """What the check says."""
        verifier = LogVerifier([key])
        verifier.header(self.header())
        for record in self.end():
            verifier.record(record)
        return verifier.end()


def kinds(report: Report) -> list[tuple[int, str]]:
    """Faults by place and kind."""
    return [(fault.first, fault.kind) for fault in report.faults]


def test_a_new_key_is_trusted_behind_the_checkpoint_that_both_have_signed() -> None:
    """Who trusts the first key can check everything; one that the first never signed for is believed nowhere."""
    made = Made()
    made.order(1)
    made.sign(OLD)
    made.own(audit_events_pb2.SigningKeyRotated(number=2, key=str(NEW.verifier), previous_key=str(OLD.verifier)))
    made.sign(OLD, NEW)
    made.order(2)
    made.sign(NEW)
    assert made.report().ok

    stolen = Made()
    stolen.order(1)
    stolen.sign(OLD)
    stolen.own(audit_events_pb2.SigningKeyRotated(number=2, key=str(NEW.verifier), previous_key=str(OLD.verifier)))
    stolen.sign(NEW)
    assert (2, "CHECKPOINT") in kinds(stolen.report())


def test_facts_that_never_came_are_a_fault_unless_the_log_says_so() -> None:
    """A hole in a stream is a fault at the fact behind it; a declared one is a note; one that closed is nothing."""
    silent = Made()
    silent.order(1)
    silent.order(4)
    silent.sign(OLD)
    assert kinds(silent.report()) == [(2, "GAP")]

    told = Made()
    gap = audit_events_pb2.GapFound(service="trading", stream="accounts/alpha", first_sequence=2, last_sequence=3)
    told.order(1)
    told.own(gap)
    told.order(4)
    told.sign(OLD)
    report = told.report()
    assert report.ok
    assert len(report.notes) == 1
    told.order(2)
    told.order(3)
    told.sign(OLD)
    report = told.report()
    assert report.ok
    assert not report.notes


def test_a_fact_is_there_once() -> None:
    """The same number of the same stream twice is a fault at the second place."""
    made = Made()
    made.order(1)
    made.order(1)
    made.sign(OLD)
    assert kinds(made.report()) == [(2, "TWICE")]


def test_payloads_go_by_a_fact_of_the_log_alone() -> None:
    """One that is gone is a fault, unless a later fact says that those of its type and age were dropped."""
    made = Made()
    made.order(1, dropped=True)
    made.sign(OLD)
    assert kinds(made.report()) == [(1, "DROPPED")]
    fact = audit_events_pb2.PayloadsDropped(type="x.Order", first_index=1, last_index=1, count=1)
    fact.before_time.seconds = 1_750_000_001
    made.own(fact)
    made.sign(OLD)
    assert kinds(made.report()) == [(1, "DROPPED")]
    fact.before_time.seconds = 1_750_000_002
    made.own(fact)
    made.sign(OLD)
    assert made.report().ok


def test_what_no_trusted_key_has_signed_is_not_verified() -> None:
    """With another key nothing of the log is."""
    made = Made()
    made.order(1)
    made.sign(OLD)
    report = made.report(NEW.verifier)
    assert [fault.kind for fault in report.faults] == ["CHECKPOINT", "UNSIGNED"]


def test_an_empty_export_is_not_verified() -> None:
    """No header, no log."""
    assert not LogVerifier([OLD.verifier]).end().ok


def written(path: Path, made: Made) -> Path:
    """The log as a file."""
    with open_for_writing(path) as out:
        out.write(header_line(made.header()))
        for record in made.end():
            out.write(record_line(record))
        out.write(end_line(made.previous))
    return path


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_a_file_has_what_was_exported(tmp_path: Path, name: str) -> None:
    """Header and records come back as they were, also compressed, and verify."""
    made = Made()
    made.order(1)
    made.sign(OLD)
    made.records.append(export_pb2.ExportRecord(tile=leaf_pb2.Tile(level=1, number=0, hashes=bytes(32))))
    made.records.append(export_pb2.ExportRecord(stray="a row"))
    read = [entry for _, _, entry in read_export(written(tmp_path / name, made))]
    assert read[0] == made.header()
    assert read[1:] == made.end()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: lines[:-1], "no end line"),
        (lambda lines: lines[1:], "the header stands in the first line"),
        (lambda lines: [*lines, lines[1]], "something follows the end"),
        (lambda lines: [*lines[:-1], lines[-1].rstrip("\n")], "cut off"),
        (lambda lines: [lines[0], "{}\n", *lines[1:]], "line 2: it is no record"),
        (lambda lines: [lines[0], lines[1].replace('"hash":"', '"hash":"!'), *lines[2:]], "line 2: it is no record"),
        (lambda lines: [lines[0].replace("audit/1", "audit/9"), *lines[1:]], "the format is"),
    ],
)
def test_what_is_no_export_is_named_by_its_line(tmp_path: Path, change, words: str) -> None:
    """A file that was cut off, put together or changed in its form is refused before anything is judged."""
    made = Made()
    made.order(1)
    made.sign(OLD)
    path = written(tmp_path / "log.jsonl", made)
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))
    with pytest.raises(ExportError, match=words):
        list(read_export(path))


def test_a_damaged_compressed_file_is_named(tmp_path: Path) -> None:
    """It ends in an error, not in silence."""
    made = Made()
    made.order(1)
    made.sign(OLD)
    path = written(tmp_path / "log.jsonl.gz", made)
    content = path.read_bytes()
    assert gzip.decompress(content)
    path.write_bytes(content[:-20])
    with pytest.raises(ExportError):
        list(read_export(path))
