"""scripts/generate on a copy of the contracts: it refuses what the house does not want and sees what is stale."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = "proto/crossrate/api/reference/v1/reference_service.proto"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the script reads and writes."""
    for name in ("proto", "libs/crossrate/api", "libs/buf"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "generate", tmp_path / "scripts")
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    return tmp_path


def generate(root: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output of the script."""
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, str(root / "scripts" / "generate"), *arguments]
    done = subprocess.run(command, env=os.environ | {"PATH": tools}, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def change(root: Path, name: str, old: str, new: str) -> None:
    """Replaces a text that is in a file."""
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new))


def test_what_is_committed_is_up_to_date(copy: Path) -> None:
    """A run would change nothing: code, descriptors and OpenAPI are those of these contracts."""
    assert generate(copy, "--check") == (0, "")


def test_a_contract_that_breaks_a_rule_does_not_build(copy: Path) -> None:
    """The script ends with every broken rule, and leaves what was generated before as it was."""
    change(copy, REFERENCE, "      cost: 5\n", "")
    code, said = generate(copy)
    assert code == 1
    assert "/crossrate.api.reference.v1.ReferenceService/ListInstruments has no cost" in said
    assert "/crossrate.api.reference.v1.ReferenceService/ListCurrencies has no cost" in said
    assert (copy / "libs/crossrate/api/openapi.json").read_text() == (
        ROOT / "libs/crossrate/api/openapi.json"
    ).read_text()


def test_paths_that_cannot_be_told_apart_do_not_build(copy: Path) -> None:
    """Two methods with one REST path are an error, also when their variables have other names."""
    change(copy, REFERENCE, '"/v1/currencies/{currency}/settlementDays"', '"/v1/instruments/{currency}/settlementDays"')
    code, said = generate(copy)
    assert code == 1
    assert "match the same path" in said


def test_a_comment_that_is_missing_does_not_build(copy: Path) -> None:
    """buf's COMMENTS rules run first."""
    change(copy, REFERENCE, "  // One instrument. NOT_FOUND if the pair is not one of the platform's.\n", "")
    code, said = generate(copy)
    assert code != 0
    assert "GetInstrument" in said


def test_a_change_of_a_comment_is_seen(copy: Path) -> None:
    """OpenAPI carries the comments, so that a new one makes it stale."""
    change(copy, REFERENCE, "// One instrument.", "// One single instrument.")
    code, said = generate(copy, "--check")
    assert code == 1
    assert "stale: libs/crossrate/api/openapi.json" in said
    assert generate(copy)[0] == 0
    assert generate(copy, "--check") == (0, "")
