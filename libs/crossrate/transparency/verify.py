"""The check of an exported log: needs the export and the log's public key, and knows no service.

Every leaf is hashed anew and compared with what is kept beside it; the tree is built anew and its root compared with
each signed checkpoint, with each tile, and with each checkpoint that a witness has kept; each journal stream is
complete; what was dropped was dropped by a fact of the log; keys come from one another.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError

from crossrate.api.audit.v1 import audit_events_pb2, checkpoint_pb2, export_pb2, leaf_pb2
from crossrate.transparency.checkpoint import Checkpoint, open_checkpoint
from crossrate.transparency.continuity import Continuity, name_of
from crossrate.transparency.dropping import Dropping
from crossrate.transparency.facts import disagreements
from crossrate.transparency.note import Note, NoteError, Verifier
from crossrate.transparency.tree import HASH_BYTES, TILE_WIDTH, Frontier
from crossrate.transparency.witness import Kept

FAULTS_MAX = 100
"""Faults that are kept with their words; the others are counted."""
OWN = "audit"
"""The service whose facts are about the log itself."""
PREVIOUS = "previous "
"""The extension line of a checkpoint that names the size of the one before."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something is not as it was signed. It lies at places `first` to `last` of the log."""

    first: int
    last: int
    kind: str
    words: str

    def __str__(self) -> str:
        where = f"fact {self.first}" if self.first == self.last else f"facts {self.first} to {self.last}"
        return f"{where}: {self.words}"


@dataclass
class Report:
    """What a check came to."""

    origin: str = ""
    first_index: int = 0
    size: int = 0
    leaves: int = 0
    checkpoints: int = 0
    tiles: int = 0
    witnessed: int = 0
    streams: int = 0
    dropped: int = 0
    newest: Checkpoint | None = None
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything is as it was signed."""
        return not self.fault_count


class LogVerifier:
    """Takes an export's header and records, in their order, and says at the end what is wrong."""

    def __init__(self, keys: Sequence[Verifier], witnessed: Iterable[Kept] = (), witness_key: Verifier | None = None):
        """Nothing is checked yet.

        Args:
            keys: the log's public keys that are trusted; keys that a rotation in the log names are trusted behind it.
            witnessed: what a witness has kept, oldest first.
            witness_key: with it, each of those must bear its cosignature.
        """
        self.report = Report()
        self._trusted = list(keys)
        self._named: list[tuple[int, Verifier]] = []
        self._rotations: list[str] = []
        self._witnessed = list(witnessed)
        self._witness_key = witness_key
        self._witness_at = 0
        self._frontier = Frontier()
        self._good = 0  # leaves up to the newest checkpoint that agrees
        self._diverged = False
        self._next = 0
        self._entries: dict[tuple[int, int], dict[int, bytes]] = {}
        self._continuity = Continuity()
        self._gaps: list[tuple[tuple[str, str], int, int]] = []
        self._dropping = Dropping()
        self._streams: dict[tuple[str, str], int] = {}
        self._previous: int | None = None
        self._without_payloads = False
        self._begun = False
        self._displaced = False
        self._header_keys: list[str] = []

    def header(self, header: export_pb2.ExportHeader) -> None:
        """Begins."""
        report = self.report
        report.origin, report.first_index, report.size = header.origin, header.first_index, header.size
        self._without_payloads = header.without_payloads
        self._begun, self._next = True, header.first_index
        self._header_keys = [key.key for key in header.keys]
        nodes = list(header.frontier)
        if len(nodes) != header.first_index.bit_count() or any(len(each) != HASH_BYTES for each in nodes):
            self._fault(0, max(0, header.first_index - 1), "HEADER", "the header's hashes do not fit its first leaf")
            nodes = [bytes(HASH_BYTES)] * header.first_index.bit_count()
        self._frontier = Frontier(header.first_index, nodes)
        self._good = header.first_index
        while (
            self._witness_at < len(self._witnessed) and self._witnessed[self._witness_at].checkpoint.size < self._next
        ):
            self._witness_at += 1

    def record(self, record: export_pb2.ExportRecord) -> None:
        """Takes the next record."""
        match record.WhichOneof("record"):
            case "leaf":
                self._leaf(record.leaf)
            case "checkpoint":
                self._checkpoint(record.checkpoint)
            case "tile":
                self._tile(record.tile.level, record.tile.number, record.tile.hashes)
            case "stream":
                source = (record.stream.service, record.stream.stream)
                self._streams[source] = record.stream.last_sequence
            case "stray":
                self._fault(self.report.size, self.report.size, "STRAY", record.stray)
            case _:
                self._fault(self._next, self._next, "RECORD", "a record of an unknown kind")

    def end(self) -> Report:
        """Ends; nothing may follow."""
        report = self.report
        if not self._begun:
            self._fault(0, 0, "HEADER", "the export has no header")
            return report
        if self._next < report.size:
            words = f"the export ends before them: {report.size - self._next:,} leaves are missing at its end"
            self._fault(self._next, report.size - 1, "TRUNCATED", words)
        if report.newest is None or report.newest.size != report.size:
            last = max(self._good, report.size - 1)
            self._fault(self._good, last, "UNSIGNED", "no checkpoint by a trusted key covers them")
        self._end_of_tiles()
        self._end_of_streams()
        self._end_of_witness()
        for first, last, words in self._dropping.uncovered():
            self._fault(first, last, "DROPPED", words)
        if report.first_index == 0 and self._header_keys != self._rotations:
            self._fault(0, report.size, "KEYS", "the keys that the log tells are not those that its facts name")
        report.dropped = self._dropping.count
        report.faults.sort()
        return report

    # Leaves

    def _leaf(self, leaf: export_pb2.ExportedLeaf) -> None:
        index = leaf.index
        if index != self._next:
            self._out_of_place(index)
            if index < self._next:
                return
        if self._without_payloads and leaf.service != OWN:
            leaf.dropped, leaf.payload, leaf.salt = True, b"", b""
        for words in disagreements(leaf):
            self._fault(index, index, "LEAF", words)
        if len(leaf.hash) != HASH_BYTES:
            leaf.hash = bytes(HASH_BYTES)
        for level, place, node in self._frontier.append(leaf.hash):
            self._entries.setdefault((level, place // TILE_WIDTH), {})[place % TILE_WIDTH] = node
        self._next = index + 1
        self.report.leaves += 1
        self._fact(leaf)
        while self._witness_at < len(self._witnessed) and self._witness_next.checkpoint.size <= self._next:
            self._witness(self._witness_next)
            self._witness_at += 1

    def _out_of_place(self, index: int) -> None:
        if index > self._next:
            self._fault(self._next, index - 1, "MISSING", "they are not there: the next one is " + str(index))
        else:
            self._fault(index, index, "ORDER", f"it stands behind fact {self._next - 1}")
        # Behind it roots and tiles tell nothing more.
        self._diverged = self._displaced = True

    def _fact(self, leaf: export_pb2.ExportedLeaf) -> None:
        """What the fact says, as far as the check needs it: only of facts whose header can be read."""
        try:
            header = leaf_pb2.Leaf.FromString(leaf.data)
        except DecodeError:
            return
        source = (header.service, header.stream)
        if header.stream:
            wrong = self._continuity.seen(source, header.sequence, leaf.index, from_start=self.report.first_index == 0)
            if wrong:
                self._fault(leaf.index, leaf.index, "TWICE", wrong)
        if not self._without_payloads or header.service == OWN:
            time_ns = header.time.seconds * 1_000_000_000 + header.time.nanos
            self._dropping.seen(header.type, time_ns, leaf.index, dropped=leaf.dropped)
        if header.service == OWN:
            with contextlib.suppress(DecodeError):  # what cannot be read was told with its hash
                self._own_fact(header.type.rpartition(".")[2], leaf)

    def _own_fact(self, kind: str, leaf: export_pb2.ExportedLeaf) -> None:
        if kind == "GapFound":
            gap = audit_events_pb2.GapFound.FromString(leaf.payload)
            self._gaps.append(((gap.service, gap.stream), gap.first_sequence, gap.last_sequence))
        elif kind == "PayloadsDropped":
            self._dropping.allowed(audit_events_pb2.PayloadsDropped.FromString(leaf.payload))
        elif kind == "LogAlarmRaised":
            alarm = audit_events_pb2.LogAlarmRaised.FromString(leaf.payload)
            self.report.notes.append(f"fact {leaf.index}: the log raised the alarm {alarm.kind}: {alarm.text}")
        elif kind == "SigningKeyRotated":
            key = audit_events_pb2.SigningKeyRotated.FromString(leaf.payload).key
            self._rotations.append(key)
            try:
                self._named.append((leaf.index, Verifier.parse(key)))
            except NoteError as error:
                self._fault(leaf.index, leaf.index, "KEYS", str(error))

    # Checkpoints

    def _checkpoint(self, kept: checkpoint_pb2.Checkpoint) -> None:
        last = max(self._good, self._next - 1)
        try:
            checkpoint = open_checkpoint(kept.note, self.report.origin, self._trusted)
        except NoteError as error:
            self._fault(self._good, last, "CHECKPOINT", f"their checkpoint (size {kept.size}): {error}")
            return
        if (kept.size, kept.root) != (checkpoint.size, checkpoint.root):
            self._fault(
                self._good, last, "CHECKPOINT", f"size or root beside the checkpoint {kept.size} are not its own"
            )
        if checkpoint.size != self._next:
            words = f"the checkpoint of size {checkpoint.size} stands behind {self._next} facts"
            self._fault(min(checkpoint.size, self._next), max(checkpoint.size, last), "CHECKPOINT", words)
            return
        self._chain(checkpoint)
        self.report.checkpoints += 1
        if self._agrees(checkpoint.root, f"the checkpoint of size {checkpoint.size}"):
            self._good = checkpoint.size
            self.report.newest = checkpoint
            self._trusted += [key for at, key in self._named if at < checkpoint.size and key not in self._trusted]

    def _chain(self, checkpoint: Checkpoint) -> None:
        """Each checkpoint names the size of the one before: none was taken out."""
        named = [line.removeprefix(PREVIOUS) for line in checkpoint.extensions if line.startswith(PREVIOUS)]
        before = int(named[0]) if named and named[0].isdecimal() else None
        begins = self._previous is None and (self.report.first_index > 0 or before == 0)
        if before is None or (before != self._previous and not begins):
            words = f"the checkpoint before size {checkpoint.size}, of size {before}, is not there"
            self._fault(max(0, (before or 1) - 1), checkpoint.size - 1, "CHECKPOINT", words)
        self._previous = checkpoint.size

    def _agrees(self, root: bytes, what: str) -> bool:
        if self._frontier.root() == root:
            return not self._diverged
        if not self._diverged:
            self._diverged = True
            words = f"something in them was changed, put in, taken out or moved: their root is not that of {what}"
            self._fault(self._good, max(self._good, self._next - 1), "ROOT", words)
        return False

    # Witness

    @property
    def _witness_next(self) -> Kept:
        return self._witnessed[self._witness_at]

    def _witness(self, kept: Kept) -> None:
        checkpoint, size = kept.checkpoint, kept.checkpoint.size
        if size < self._next or not self._believed(kept):
            return
        self.report.witnessed += 1
        self._agrees(checkpoint.root, f"the checkpoint of size {size} that the witness has")

    def _believed(self, kept: Kept) -> bool:
        """Whether the log and the witness have signed what the witness's file says."""
        size = kept.checkpoint.size
        known = [*self._trusted, *(key for at, key in self._named if at < size)]
        try:
            open_checkpoint(kept.note, self.report.origin, known)
            if self._witness_key and not Note.parse(kept.note).signed_by([self._witness_key]):
                raise NoteError(f"not cosigned by {self._witness_key.name}+{self._witness_key.id.hex()}")
        except NoteError as error:
            self.report.notes.append(f"the witness's file, size {size}: {error}")
            return False
        return True

    def _end_of_witness(self) -> None:
        beyond = [kept for kept in self._witnessed[self._witness_at :] if self._believed(kept)]
        if beyond:
            most = max(kept.checkpoint.size for kept in beyond)
            words = f"the witness has seen {most:,} facts, the log has {self.report.size:,}: it was cut off or put back"
            self._fault(self.report.size, most - 1, "WITNESS", words)

    # Tiles and streams

    def _tile(self, level: int, number: int, hashes: bytes) -> None:
        mine = self._entries.pop((level, number), {})
        theirs = {i: hashes[i * HASH_BYTES : (i + 1) * HASH_BYTES] for i in range(len(hashes) // HASH_BYTES)}
        self.report.tiles += 1
        if self._displaced:
            return
        span = TILE_WIDTH**level
        for place in sorted(mine.keys() | theirs.keys()):
            first = (number * TILE_WIDTH + place) * span
            if first < self.report.first_index:
                continue
            if mine.get(place) != theirs.get(place):
                words = f"their root is not entry {place} of tile {level}/{number}: a leaf or the tile was changed"
                self._fault(first, first + span - 1, "TILE", words)
                return

    def _end_of_tiles(self) -> None:
        for level, number in sorted(self._entries) if not self._displaced else ():
            first = number * TILE_WIDTH ** (level + 1)
            words = f"their tile {level}/{number} is not there"
            self._fault(first, min(self._next, first + TILE_WIDTH ** (level + 1)) - 1, "TILE", words)

    def _end_of_streams(self) -> None:
        report, seen = self.report, self._continuity.last
        report.streams = len(seen)
        for source, first, last, index in self._continuity.missing():
            told = [gap for gap in self._gaps if gap[0] == source and gap[1] <= first and last <= gap[2]]
            numbers = f"fact {first}" if first == last else f"facts {first} to {last}"
            if told:
                report.notes.append(f"{numbers} of {name_of(source)} never came, as the log says itself")
            else:
                self._fault(index, index, "GAP", f"{numbers} of {name_of(source)}, due before it, are not in the log")
        if report.first_index:
            return
        for source in sorted(seen.keys() | {each for each in self._streams if each[1]}):
            if self._streams.get(source) != seen.get(source):
                words = (
                    f"{name_of(source)} is said to be at {self._streams.get(source)}, its facts at {seen.get(source)}"
                )
                self._fault(0, max(0, report.size - 1), "STREAM", words)

    def _fault(self, first: int, last: int, kind: str, words: str) -> None:
        self.report.fault_count += 1
        if len(self.report.faults) < FAULTS_MAX:
            self.report.faults.append(Fault(first, max(first, last), kind, words))
