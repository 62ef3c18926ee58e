"""The witness cosigns what only grows, and keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossrate.transparency.checkpoint import Checkpoint, sign_checkpoint
from crossrate.transparency.note import Note, NoteError, Signer
from crossrate.transparency.tree import consistency_ranges
from crossrate.transparency.witness import (
    CHECKPOINTS,
    Conflict,
    Refused,
    Witness,
    parse_request,
    read_witness,
    request_of,
)
from tests.unit.transparency.naive import mth
from tests.unit.transparency.test_tree import hashes

LOG = Signer.generate("log")
LEAVES = [bytes([number]) for number in range(20)]


def checkpoint(size: int, leaves: list[bytes] = LEAVES, signer: Signer = LOG) -> str:
    """A signed checkpoint over the first leaves."""
    return sign_checkpoint(Checkpoint("log", size, mth(leaves[:size])), [signer])


def request(old: int, size: int, leaves: list[bytes] = LEAVES, signer: Signer = LOG) -> str:
    """A request with its proof."""
    proof = hashes(leaves[:size], consistency_ranges(old, size)) if old else []
    return request_of(old, proof, checkpoint(size, leaves, signer))


def witness(folder: Path) -> Witness:
    """One of the log."""
    return Witness(folder, "log", [LOG.verifier], lambda: 1_790_000_000.5)


def test_what_grows_is_cosigned_and_kept(tmp_path: Path) -> None:
    """Each checkpoint that continues the one before gets a cosignature; the file has them all, also after a restart."""
    one = witness(tmp_path)
    for old, size in ((0, 3), (3, 8), (8, 20)):
        line = one.add(request(old, size))
        note = Note.parse(checkpoint(size) + line)
        assert note.signed_by([one.verifier]) == {one.verifier: 1_790_000_000}
    again = witness(tmp_path)
    assert (again.size, again.verifier) == (20, one.verifier)
    key, kept = read_witness(tmp_path / CHECKPOINTS)
    assert key == str(one.verifier)
    assert [each.checkpoint.size for each in kept] == [3, 8, 20]


def test_the_same_checkpoint_twice_is_kept_once(tmp_path: Path) -> None:
    """A log that did not hear the answer asks again, and gets one."""
    one = witness(tmp_path)
    one.add(request(0, 5))
    assert one.add(request(5, 5)).startswith("— log/witness ")
    assert len(list(read_witness(tmp_path / CHECKPOINTS)[1])) == 1


def test_a_proof_from_elsewhere_is_told_where_to_begin(tmp_path: Path) -> None:
    """The conflict names the size that was cosigned."""
    one = witness(tmp_path)
    one.add(request(0, 5))
    with pytest.raises(Conflict) as caught:
        one.add(request(0, 8))
    assert caught.value.size == 5
    with pytest.raises(Conflict):
        one.add(request(3, 4))


def test_a_fork_is_refused(tmp_path: Path) -> None:
    """A log whose beginning is another gets no cosignature, whatever proof it sends; the file stays."""
    one = witness(tmp_path)
    one.add(request(0, 8))
    forked = [*LEAVES[:4], b"forged", *LEAVES[5:]]
    for body in (request(8, 12, forked), request_of(8, [], checkpoint(12, forked)), request(8, 8, forked)):
        with pytest.raises(Refused):
            one.add(body)
    assert one.size == 8
    assert [each.checkpoint.size for each in read_witness(tmp_path / CHECKPOINTS)[1]] == [8]
    one.add(request(8, 12))


def test_only_the_logs_key_is_believed(tmp_path: Path) -> None:
    """A checkpoint by another key is refused."""
    with pytest.raises(Refused, match="no trusted key"):
        witness(tmp_path).add(request(0, 3, signer=Signer.generate("log")))


def test_a_line_that_was_cut_off_is_taken_off(tmp_path: Path) -> None:
    """A crash within a write loses the checkpoint that nobody was told of, and nothing else."""
    one = witness(tmp_path)
    one.add(request(0, 3))
    path = tmp_path / CHECKPOINTS
    with path.open("a") as file:
        file.write('{"note": "log\\n5')
    assert [each.checkpoint.size for each in read_witness(path)[1]] == [3]
    again = witness(tmp_path)
    again.add(request(3, 8))
    assert [each.checkpoint.size for each in read_witness(path)[1]] == [3, 8]


@pytest.mark.parametrize("body", ["", "old 1", "old x\n\nnote", "old 0\nAAAA\n\nnote", "new 1\n\nnote", "old -1\n\nx"])
def test_what_is_no_request_is_refused(body: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(NoteError, match="no request to a witness"):
        parse_request(body)


def test_what_is_no_file_of_a_witness_is_refused(tmp_path: Path) -> None:
    """A file of another kind, and a damaged line, are named."""
    path = tmp_path / "x"
    path.write_text("{}\n")
    with pytest.raises(NoteError, match="no file of a witness"):
        read_witness(path)
    one = witness(tmp_path)
    one.add(request(0, 3))
    kept = tmp_path / CHECKPOINTS
    kept.write_text(kept.read_text() + "{}\n")
    with pytest.raises(NoteError, match="line 3"):
        list(read_witness(kept)[1])
