"""One file: read, mapped, judged and given to the store as one commit. Blocking; run in a thread.

The rows go to the store while they are read, a part at a time, and are committed only when all of the file was seen
and judged. What stops in between, of itself or by being killed, leaves nothing in the store that a reader sees. Of a
large file it leaves a checkpoint, from which the next attempt goes on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossrate.files.failure import FileFailure
from services.pipeline.checkpoint import Checkpoint, Unreadable
from services.pipeline.domain.progress import FileState, Outcome
from services.pipeline.domain.specification import Specification
from services.pipeline.file_pass import Pass, Quarantined

if TYPE_CHECKING:
    from crossrate.history.bars import BarStore
    from crossrate.history.store import TickStore
    from crossrate.history.writing import Load


@dataclass(frozen=True, slots=True)
class Book:
    """What is written down of a load while it goes on. All block, and raise what the database raises.

    Attributes:
        prepare: keeps what was found, before the commit; called when all was read and nothing is committed yet.
        keep: keeps a checkpoint.
        found: the checkpoint of an attempt before.
        drop: forgets it: it cannot be gone on with.
        every_rows: from one checkpoint to the next.
    """

    prepare: Callable[[], None]
    keep: Callable[[Checkpoint], None]
    found: Callable[[], Checkpoint | None]
    drop: Callable[[], None]
    every_rows: int


@dataclass(frozen=True, slots=True)
class Positions:
    """What a commit says beside its rows.

    Attributes:
        to: positions that it moves.
        after: where they have to be before.
    """

    to: dict[str, int]
    after: dict[str, int | None] | None = None


def load(
    store: TickStore | BarStore | None, spec: Specification, source: Pass, digest: str, positions: Positions, book: Book
) -> Outcome:
    """Loads a file, or says why not.

    Args:
        store: the history; None for a dry run.
        spec: the job.
        source: the pass over the file.
        digest: of its content.
        positions: of the store, that say that it is loaded.
        book: where it is written down.

    Raises:
        Stopped: the job should come to an end; nothing was committed.
        Exception: of the store or of `book`: nothing was committed, or the store's position tells.
    """
    try:
        if store is None:
            for _ in source.batches():
                pass
            return Outcome(FileState.CHECKED, source.reading, digest)
        draft = _begun(store, spec.target.dataset, source, positions, book)
        if draft.repeated:
            # The store has it, and what was found in it was not kept: it is read once more for that.
            with contextlib.suppress(Quarantined):
                for _ in source.batches():
                    pass
            book.prepare()
            return Outcome(FileState.LOADED, source.reading, digest)
        try:
            _add(draft, source, book)
            book.prepare()
        except BaseException:
            draft.discard()
            raise
        draft.commit()
    except FileFailure as wrong:
        return Outcome(FileState.FAILED, source.reading, digest, str(wrong))
    except Quarantined as wrong:
        return Outcome(FileState.QUARANTINED, source.reading, digest, str(wrong))
    return Outcome(FileState.LOADED, source.reading, digest)


def _begun(store: TickStore | BarStore, dataset: str, source: Pass, positions: Positions, book: Book) -> Load:
    """The write of a file, and the pass over it, where an attempt before was cut off."""
    from crossrate.history.errors import MissingPartError

    checkpoint = book.found()
    if checkpoint is not None:
        try:
            draft = store.begin(dataset, positions.to, checkpoint.pending, after=positions.after)
            if not draft.repeated:
                source.restore(checkpoint.state)
            return draft
        except (MissingPartError, Unreadable):
            book.drop()
    return store.begin(dataset, positions.to, after=positions.after)


def _add(draft: Load, source: Pass, book: Book) -> None:
    """Gives all of a file to the store, with checkpoints on the way."""
    kept = source.reading.rows
    for batch in source.batches():
        if batch is not None:
            draft.add(batch)
        elif source.reading.rows - kept >= book.every_rows:
            kept = source.reading.rows
            state = source.state()
            if state is not None:
                pending = draft.flush()
                book.keep(Checkpoint(kept, state, pending))
                draft.promise()


def position_of(dataset: str, generation: int, digest: str) -> str:
    """Name of the store's position of one content in one generation of a dataset."""
    return f"{dataset}.{generation}.{digest[:40]}"
