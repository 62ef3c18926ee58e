"""Writers of one source: whoever is not the next one writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossrate.history.errors import PositionMovedError
from crossrate.history.keys import Batch
from crossrate.history.log import Log
from crossrate.history.store import TickStore
from tests.unit.history.some import PAIR, all_of, quotes, same


@pytest.fixture
def url(tmp_path: Path) -> str:
    return str(tmp_path / "ticks")


def test_a_write_that_does_not_follow_is_refused(url: str) -> None:
    """A second writer that has read further does not write again what the first has written."""
    first, second = TickStore.open(url), TickStore.open(url)
    ticks = quotes(100)
    first.append_all([Batch("sim", PAIR, ticks[:60])], {"log": 60}, after={"log": None})
    with pytest.raises(PositionMovedError, match="log is at 60, not at None"):
        second.append_all([Batch("sim", PAIR, ticks)], {"log": 100}, after={"log": None})
    assert second.append_all([Batch("sim", PAIR, ticks[:60])], {"log": 60}, after={"log": None}).repeated
    second.append_all([Batch("sim", PAIR, ticks[60:])], {"log": 100}, after={"log": 60})
    same(all_of(first), ticks)


@pytest.mark.parametrize("reads", [False, True])
def test_a_writer_that_is_overtaken_while_it_writes_is_refused(
    url: str, reads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused also if a reader of its own process has seen the other's commit before it commits itself."""
    first, second = TickStore.open(url), TickStore.open(url)
    ticks, commit = quotes(100), Log.commit

    def delayed(log: Log, *arguments: object) -> int:
        monkeypatch.setattr(Log, "commit", commit)
        first.append_all([Batch("sim", PAIR, ticks[:60])], {"log": 60}, after={"log": None})
        if reads:
            log.refresh()
        return commit(log, *arguments)

    monkeypatch.setattr(Log, "commit", delayed)
    with pytest.raises(PositionMovedError):
        second.append_all([Batch("sim", PAIR, ticks)], {"log": 100}, after={"log": None})
    same(all_of(second), ticks[:60])
    assert second.vacuum(1).paths == []


def test_positions_that_are_not_named_do_not_matter(url: str) -> None:
    """What moved beside the source that is named stops nobody."""
    store = TickStore.open(url)
    store.append("sim", "GBP/USD", quotes(10), "other", 10)
    store.append_all([Batch("sim", PAIR, quotes(10))], {"log": 10, "other": 12}, after={"log": None})
    assert (store.position("log"), store.position("other")) == (10, 12)
