"""Writes in parts: what another process goes on with, and what is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossrate.history.errors import MissingPartError
from crossrate.history.keys import Batch
from crossrate.history.store import TickStore
from crossrate.ticks.periods import DAY
from tests.unit.history.some import PAIR, all_of, quotes, same


def test_a_load_goes_on_where_another_was_killed(tmp_path: Path) -> None:
    """What was flushed is not added again; nothing is seen before the commit, and then all of it, once."""
    ticks = quotes(1000)
    first = TickStore.open(str(tmp_path)).begin("set", {"content": 1})
    first.add(Batch("sim", PAIR, ticks[:400]))
    pending = first.flush()
    first.promise()
    first.add(Batch("sim", PAIR, ticks[400:700]))
    store = TickStore.open(str(tmp_path))
    assert store.coverage() == []
    second = store.begin("set", {"content": 1}, pending)
    assert not second.repeated
    second.add(Batch("sim", PAIR, ticks[400:]))
    done = second.commit()
    assert (done.rows, done.repeated) == (1000, False)
    same(all_of(store), ticks)
    assert list(store.verify()) == []
    assert store.begin("set", {"content": 1}, pending).repeated


def test_what_was_promised_stays_when_a_load_is_given_up(tmp_path: Path) -> None:
    """Files behind the promise are deleted, those before it are another's to go on with."""
    store = TickStore.open(str(tmp_path))
    load = store.begin("set", {"content": 1})
    load.add(Batch("sim", PAIR, quotes(10, span=DAY)))
    pending = load.flush()
    load.promise()
    load.add(Batch("sim", PAIR, quotes(10, span=DAY)))
    both = load.flush()
    assert len(both) == 2
    load.discard()
    assert [(tmp_path / each.path).exists() for each in both] == [True, False]
    assert store.begin("set", {"content": 1}, pending).commit().rows == 10


def test_a_part_that_is_gone_is_said(tmp_path: Path) -> None:
    """A load does not begin with files that somebody deleted or changed."""
    store = TickStore.open(str(tmp_path))
    load = store.begin("set", {"content": 1})
    load.add(Batch("sim", PAIR, quotes(10, span=DAY)))
    (pending,) = load.flush()
    (tmp_path / pending.path).write_bytes(b"short")
    with pytest.raises(MissingPartError):
        store.begin("set", {"content": 1}, [pending])


def test_the_ends_of_a_dataset_are_its_first_and_last_rows(tmp_path: Path) -> None:
    """Over several days, and of few rows none twice."""
    store = TickStore.open(str(tmp_path))
    ticks = quotes(300)
    store.append_all([Batch("sim", PAIR, ticks)], dataset="set")
    store.append_all([Batch("sim", PAIR, quotes(5))], dataset="other")
    first, last = store.ends("set", PAIR, 4)
    assert first["venue_time"].tolist() == ticks.venue_time[:4].tolist()
    assert last["venue_time"].tolist() == ticks.venue_time[-4:].tolist()
    first, last = store.ends("other", PAIR, 4)
    assert (len(first["bid"]), len(last["bid"])) == (4, 1)
    first, last = store.ends("none", PAIR, 4)
    assert (len(first["bid"]), len(last["bid"])) == (0, 0)
