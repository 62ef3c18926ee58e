"""What runs as a service: the checkout's program, or what was promoted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crossrate.node.programs import Program, Programs, read_program
from crossrate.runtime.place import REPOSITORY, Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Folders of a mesh."""
    return Place(tmp_path / "state", tmp_path / "run").make()


def test_what_was_promoted_is_there_at_the_next_start(place: Place) -> None:
    """It is on disk, readable by its owner alone; a service that was never promoted runs as the checkout has it."""
    program = Program("2", ("python", "-m", "x"), "/next", {"A": "b"})
    Programs(place).promote("reference", program)
    found = Programs(place)
    assert found.of("reference") == program
    assert found.of("ledger") == Program()
    assert (place.state / "programs.json").stat().st_mode & 0o777 == 0o600


def test_a_program_says_its_version_and_runs_in_its_folder() -> None:
    """ "python" is the interpreter of the mesh; without a folder the checkout is it."""
    program = read_program({"version": "2", "command": ["python", "-m", "x"], "environment": {"A": "b"}})
    assert program.with_version() == {"A": "b", "CROSSRATE_VERSION": "2"}
    command = program.spawned("pricing", {"C": "d"})
    assert (command.argv, command.cwd, command.env) == ((sys.executable, "-m", "x"), REPOSITORY, {"C": "d"})
    assert read_program({"command": ["go-pricer"], "folder": "/next"}).spawned("pricing", {}).cwd == Path("/next")


def test_a_folder_alone_runs_what_stands_in_it() -> None:
    """A checkout without a command is the service's own program as that checkout has it, with that one's libraries, and
    is never forked from the mesh's own; who sets the path has set it."""
    program = Program("2", folder="/next")
    assert not program.forked
    command = program.spawned("reference", {"PYTHONPATH": "/mesh/libs"})
    assert (command.argv[1:], command.cwd) == (("-m", "services.reference"), Path("/next"))
    assert command.env["PYTHONPATH"] == "/next/libs:/next:/mesh/libs"
    assert command.env["CROSSRATE_TOPOLOGY"] == str(REPOSITORY / "mesh" / "topology.toml")
    own = Program("2", folder="/next", environment={"PYTHONPATH": "/own"})
    assert own.spawned("reference", own.environment).env["PYTHONPATH"] == "/own"
    assert Program("2", environment={"A": "b"}).forked


def test_what_a_folder_has_is_what_is_imported(tmp_path: Path) -> None:
    """The interpreter of the mesh, whose packages are bound to the mesh's checkout, takes program and libraries of the
    folder."""
    for path in ("services/reference/__main__.py", "services/__init__.py", "libs/crossrate/__init__.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    program = "import crossrate, services; print(crossrate.__file__, services.__file__)"
    (tmp_path / "services/reference/__main__.py").write_text(program)
    command = Program("2", folder=str(tmp_path)).spawned("reference", os.environ)
    done = subprocess.run(
        command.argv, cwd=command.cwd, env=command.env, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == [str(tmp_path / f"{each}/__init__.py") for each in ("libs/crossrate", "services")]


def test_what_is_no_program_is_refused() -> None:
    """With a sentence, and not with a traceback of whoever asked."""
    for wrong in ({"command": 1}, {"environment": 1}):
        with pytest.raises(ValueError, match="not a program"):
            read_program(wrong)


def test_what_was_before_comes_back_once(place: Place) -> None:
    """Also after a restart of the node in between; what was promoted twice has the one before it behind it."""
    first, second = Program("1"), Program("2")
    Programs(place).promote("reference", first)
    Programs(place).promote("reference", second)
    Programs(place).promote("reference", second)
    found = Programs(place)
    found.take_back("reference")
    assert (found.of("reference"), Programs(place).of("reference")) == (first, first)
    found.take_back("reference")
    assert found.of("reference") == Program()
