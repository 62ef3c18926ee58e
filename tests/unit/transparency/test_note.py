"""Signed notes, verifier keys and checkpoints, in the forms that others read."""

from __future__ import annotations

import base64

import pytest

from crossrate.transparency.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from crossrate.transparency.note import COSIGNATURE, Note, NoteError, Signer, Verifier, sign

# The example of the package golang.org/x/mod/sumdb/note: key, text, signature.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_of_the_first_implementation_verifies() -> None:
    """Key and note of the documentation of Go's note package are read, and the signature is its key's."""
    verifier = Verifier.parse(PETER)
    assert Note.parse(PETER_NOTE).signed_by([verifier]) == {verifier: 0}
    assert str(verifier) == PETER
    with pytest.raises(NoteError, match="not by the key"):
        Note.parse(PETER_NOTE.replace("problem", "solution", 1)).signed_by([verifier])


def test_signatures_of_unknown_keys_are_passed_over() -> None:
    """A reader trusts the keys that it has; others may sign beside them."""
    one, other = Signer.generate("log"), Signer.generate("log")
    note = Note.parse(sign("text\n", [other, one]))
    assert note.signed_by([one.verifier]) == {one.verifier: 0}
    assert note.signed_by([Signer.generate("log").verifier]) == {}


def test_a_cosignature_carries_its_time() -> None:
    """A witness signs the checkpoint together with when it saw it; another time does not verify."""
    witness = Signer.generate("witness", COSIGNATURE)
    text = Checkpoint("log", 1, bytes(32)).text
    line = witness.sign(text, 1_790_000_000)
    assert Note.parse(f"{text}\n{line}").signed_by([witness.verifier]) == {witness.verifier: 1_790_000_000}
    raw = bytearray(base64.b64decode(line.rpartition(" ")[2]))
    raw[11] ^= 1
    later = f"— witness {base64.b64encode(raw).decode()}\n"
    with pytest.raises(NoteError, match="not by the key"):
        Note.parse(f"{text}\n{later}").signed_by([witness.verifier])


def test_keys_come_back_from_their_files() -> None:
    """A secret that was written is the same key when it is read."""
    signer = Signer.generate("crossrate/audit")
    assert Signer.parse(signer.secret).verifier == signer.verifier
    with pytest.raises(NoteError, match="no signing key"):
        Signer.parse(str(signer.verifier))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+AAAA",
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER + "x",
        PETER.replace("+A", "+B", 1),
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    """Each with its reason."""
    with pytest.raises(NoteError, match=r"verifier key"):
        Verifier.parse(text)


@pytest.mark.parametrize(
    "text", ["", "text\n", "text\n\n", "text\n\nno mark\n", "text\n\n— name AAAA\n", "\n\n— n x\n"]
)
def test_what_is_no_note_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(NoteError):
        Note.parse(text)


@pytest.mark.parametrize(
    "text", ["", "log\n", "log\n1\n", "log\n01\n" + "A" * 43 + "=\n", "log\n-1\n" + "A" * 43 + "=\n", "log\n1\nAAAA\n"]
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    """Sizes have no sign and no leading zero, roots have 32 bytes."""
    with pytest.raises(NoteError, match="no checkpoint"):
        Checkpoint.parse(text)


def test_a_checkpoint_is_opened_by_its_keys_alone() -> None:
    """Another log's, and one by another key, are refused with the reason."""
    signer = Signer.generate("log")
    checkpoint = Checkpoint("log", 7, bytes(range(32)), ("time 2026-01-01T00:00:00Z", "previous 3"))
    note = sign_checkpoint(checkpoint, [signer])
    assert open_checkpoint(note, "log", [signer.verifier]) == checkpoint
    with pytest.raises(NoteError, match="of the log 'log', not of 'other'"):
        open_checkpoint(note, "other", [signer.verifier])
    with pytest.raises(NoteError, match="signed by no trusted key"):
        open_checkpoint(note, "log", [Signer.generate("log").verifier])
