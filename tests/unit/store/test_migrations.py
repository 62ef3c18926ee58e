"""The names and numbers of migration files are checked before the database is touched."""

from __future__ import annotations

import pytest

from crossrate.store import MigrationError
from crossrate.store.database import FRAMEWORK_MIGRATIONS
from crossrate.store.migrations import read_migrations


def test_files_are_read_in_order(tmp_path):
    """Number and checksum come from the name and the text."""
    for number in (2, 1):
        (tmp_path / f"{number:04d}_step.sql").write_text(f"SELECT {number}")
    found = read_migrations(tmp_path)
    assert [(m.version, m.name, m.sql) for m in found] == [
        (1, "0001_step.sql", "SELECT 1"),
        (2, "0002_step.sql", "SELECT 2"),
    ]
    assert found[0].sha256 != found[1].sha256


@pytest.mark.parametrize(
    "names", [["0002_b.sql"], ["0001_a.sql", "0003_c.sql"], ["0001_a.sql", "0001_b.sql"], ["1.sql"]]
)
def test_gaps_doubles_and_strange_names_are_refused(tmp_path, names):
    """A forgotten or doubled number would be applied on one machine and not on another."""
    for name in names:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(MigrationError):
        read_migrations(tmp_path)


def test_a_missing_folder_is_refused(tmp_path):
    """A service whose migrations were not packaged does not start with an empty schema."""
    with pytest.raises(MigrationError, match="no folder"):
        read_migrations(tmp_path / "nowhere")


def test_the_stores_own_migrations_are_well_formed():
    """The framework's tables come by the same road."""
    assert read_migrations(FRAMEWORK_MIGRATIONS)[0].version == 1
