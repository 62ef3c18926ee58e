"""Logs are bounded and kept from one start to the next."""

import os
from pathlib import Path

from crossrate.node import logs


def test_a_log_is_cut_in_place_and_written_on(tmp_path: Path) -> None:
    """A log over its bound is copied aside and emptied under its writer, which goes on at its beginning."""
    path = tmp_path / "x.log"
    descriptor = logs.open_for_append(path)
    os.write(descriptor, b"a" * 100)
    assert not logs.bound(path, 100)
    os.write(descriptor, b"b\n")
    assert logs.bound(path, 100)
    os.write(descriptor, b"c\n")
    os.close(descriptor)
    assert path.read_text() == "c\n"
    assert logs.previous(path).read_text() == "a" * 100 + "b\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_start_keeps_the_log_before(tmp_path: Path) -> None:
    """The log of the last start is beside the new one."""
    path = tmp_path / "x.log"
    path.write_text("old\n")
    logs.begin(path)
    logs.begin(path)
    assert not path.exists()
    assert logs.previous(path).read_text() == "old\n"


def test_tail_has_the_last_lines(tmp_path: Path) -> None:
    """The end of a log is its last lines; a log that is not there has none."""
    path = tmp_path / "x.log"
    path.write_text("".join(f"line {n}\n" for n in range(5000)))
    assert logs.tail(path, 2) == "line 4998\nline 4999"
    assert logs.tail(tmp_path / "none") == ""
