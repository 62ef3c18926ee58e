"""scripts/check_breaking, in repositories of a few commits made for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRST = 'syntax = "proto3";\npackage desk.v1;\nmessage Deal {\n  string id = 1;\n  int64 size = 2;\n}\n'
GROWN = FIRST.replace("}", "  string note = 3;\n}")
RENAMED = FIRST.replace("size", "amount")
RETYPED = FIRST.replace("int64 size", "string size")


class Repository:
    """A git repository with the script and one contract."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.contract = root / "proto" / "desk" / "v1" / "deal.proto"
        self.contract.parent.mkdir(parents=True)
        (root / "scripts").mkdir()
        shutil.copy(ROOT / "scripts" / "check_breaking", root / "scripts")
        shutil.copy(ROOT / "buf.yaml", root)
        # git's own variables would point it at the repository that the tests run in.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        tools = os.pathsep.join([str(Path(sys.executable).parent), clean.get("PATH", "")])
        self.environment = clean | {"PATH": tools, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        """Runs git as a made-up author."""
        author = ["-c", "user.name=Desk", "-c", "user.email=desk@example.com", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(self.root), *author, *arguments]
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, contract: str, subject: str) -> str:
        """Commits the contract and returns the commit's short name."""
        self.contract.write_text(contract)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", subject)
        return self.git("log", "-1", "--format=%h")

    def check(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of the script."""
        command = [sys.executable, str(self.root / "scripts" / "check_breaking"), *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository whose main branch has one commit."""
    made = Repository(tmp_path)
    made.commit(FIRST, "desk: deals")
    return made


@pytest.mark.parametrize(("contract", "breaks"), [(GROWN, False), (RENAMED, True), (RETYPED, True)])
def test_a_branch_is_compared_with_where_it_left_main(repository: Repository, contract: str, breaks: bool) -> None:
    """A new field is fine; another name breaks JSON, another type breaks both. Commits between do not hide it."""
    base = repository.git("log", "-1", "--format=%h")
    repository.git("checkout", "-q", "-b", "feature")
    repository.commit(contract, "desk: a change")
    repository.commit(contract + "\n", "desk: another")
    code, said = repository.check()
    assert f"compared with {base} desk: deals (where HEAD left main)" in said
    assert (code != 0) is breaks, said
    assert ("deal.proto" in said) is breaks


def test_main_is_compared_with_the_commit_before(repository: Repository) -> None:
    """A clone that has only main checks what its newest commit did."""
    base = repository.git("log", "-1", "--format=%h")
    repository.commit(RENAMED, "desk: a change")
    code, said = repository.check()
    assert f"compared with {base} desk: deals (the commit before HEAD" in said
    assert code == 1


def test_what_is_not_pushed_is_compared_with_the_remote(repository: Repository) -> None:
    """On a main branch that is ahead of origin/main all new commits count, not the last alone."""
    repository.git("update-ref", "refs/remotes/origin/main", "HEAD")
    repository.commit(RENAMED, "desk: a change")
    repository.commit(RENAMED, "desk: nothing more")
    code, said = repository.check()
    assert "where HEAD left origin/main" in said
    assert code == 1


def test_what_is_not_committed_counts(repository: Repository) -> None:
    """The working tree is what is compared, so that a breaking change is seen before it is committed."""
    repository.commit(GROWN, "desk: a note")
    repository.contract.write_text(RETYPED)
    code, _ = repository.check()
    assert code == 1


def test_a_first_commit_has_nothing_to_compare_with_and_says_so(repository: Repository) -> None:
    """There is no silent success."""
    assert repository.check() == (0, "Contracts were compared with nothing: HEAD is the first commit.\n")


def test_a_shallow_clone_says_what_it_lacks(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One commit of a longer history is not a first commit."""
    repository.commit(GROWN, "desk: a note")
    clone = tmp_path_factory.mktemp("clone") / "c"
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.root}", str(clone))
    command = [sys.executable, str(clone / "scripts" / "check_breaking")]
    done = subprocess.run(command, env=repository.environment, capture_output=True, text=True, check=False)
    assert "compared with nothing: the clone is shallow" in done.stdout


def test_any_revision_can_be_asked_for(repository: Repository) -> None:
    """A release can be compared with the one before it; a revision that is not there is an error."""
    repository.git("tag", "v1")
    repository.commit(GROWN, "desk: a note")
    repository.commit(FIRST, "desk: no note")
    assert repository.check("v1")[0] == 0
    assert repository.check()[0] == 1
    code, said = repository.check("v9")
    assert code == 1
    assert "no revision 'v9'" in said
