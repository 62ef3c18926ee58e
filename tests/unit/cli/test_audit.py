"""`crossrate audit verify` on a file: offline, with the exit code and the place that a person or a script needs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crossrate.cli.audit_app import audit_app
from crossrate.cli.show import CommandError
from tests.unit.transparency.test_verify import NEW, OLD, Made, written
from tests.unit.transparency.test_witness import CHECKPOINTS, witness


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A log of three facts."""
    made = Made()
    made.order(1)
    made.order(2)
    made.sign(OLD)
    return written(tmp_path / "log.jsonl.gz", made)


def verify(*arguments: str) -> tuple[int, dict]:
    """Exit code and report."""
    done = CliRunner().invoke(audit_app, ["verify", *arguments, "--json"], catch_exceptions=False)
    return done.exit_code, json.loads(done.stdout)


def test_a_whole_log_verifies_with_the_key_as_file_or_text(exported: Path, tmp_path: Path) -> None:
    """Exit code 0, and what was checked."""
    key = tmp_path / "log.pub"
    key.write_text(f"{OLD.verifier}\n")
    for given in (str(key), str(OLD.verifier)):
        code, report = verify(str(exported), "--key", given)
        assert (code, report["ok"], report["facts"], report["checkpoints"]) == (0, True, 3, 1)


def test_a_changed_log_is_named_with_its_place(exported: Path, tmp_path: Path) -> None:
    """Exit code 1, and the first wrong fact."""
    lines = gzip.decompress(exported.read_bytes()).decode().splitlines(keepends=True)
    changed = tmp_path / "changed.jsonl"
    changed.write_text("".join([*lines[:3], lines[3].replace('"service":"trading"', '"service":"risk"'), *lines[4:]]))
    code, report = verify(str(changed), "--key", str(OLD.verifier))
    assert (code, report["faults"][0]["first"], report["faults"][0]["kind"]) == (1, 2, "LEAF")
    said = CliRunner().invoke(audit_app, ["verify", str(changed), "--key", str(OLD.verifier)]).stdout
    assert "first at fact 2: its service as kept" in said


def test_another_key_verifies_nothing(exported: Path) -> None:
    """Exit code 1."""
    assert verify(str(exported), "--key", str(NEW.verifier))[0] == 1


def test_a_witness_that_has_seen_more_tells_that_the_log_was_cut(exported: Path, tmp_path: Path) -> None:
    """The file of a witness of a longer log is a fault behind the end of this one."""
    made = Made()
    for number in range(1, 6):
        made.order(number)
    made.sign(OLD)
    one = witness(tmp_path / "w")
    one._origin, one._log_keys = "crossrate/audit", [OLD.verifier]
    note = made.records[-1].checkpoint.note
    one.add(f"old 0\n\n{note}")
    code, report = verify(str(exported), "--key", str(OLD.verifier), "--witness", str(tmp_path / "w" / CHECKPOINTS))
    assert code == 1
    assert (3, 5, "WITNESS") in [(each["first"], each["last"], each["kind"]) for each in report["faults"]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name an exported log, or give --live"),
        (["FILE"], "no public key"),
        (["FILE", "--key", "nothing"], "no public key"),
        (["FILE", "--key", "KEY", "--witness", "FILE"], "utf-8|no file of a witness"),
    ],
)
def test_what_is_missing_is_named(exported: Path, arguments: list[str], words: str, monkeypatch) -> None:
    """Each with what to give instead."""
    monkeypatch.setenv("CROSSRATE_STATE", str(exported.parent / "state"))
    given = [{"FILE": str(exported), "KEY": str(OLD.verifier)}.get(each, each) for each in arguments]
    with pytest.raises(CommandError, match=words):
        CliRunner().invoke(audit_app, ["verify", *given], catch_exceptions=False)
