"""Reports to followers: from memory where memory has them all, from the journal otherwise."""

from __future__ import annotations

from services.trading.engine.hub import Hub
from services.trading.store.batch import Reported


def reported(*sequences: int) -> list[Reported]:
    """Reports of one account."""
    return [Reported("alpha", sequence, b"%d" % sequence) for sequence in sequences]


def test_what_others_wrote_in_between_is_read_from_the_journal() -> None:
    """An account that was away and came back leaves a gap, which is never taken for the end of its reports."""
    hub = Hub()
    with hub.listening("alpha") as listener:
        hub.publish(reported(1, 2, 3))
        assert [each.sequence for each in hub.after("alpha", 1, 10) or ()] == [2, 3]
        assert hub.after("alpha", 3, 10) is None
        # 4 … 19 were committed by another instance.
        listener.changed.clear()
        hub.publish(reported(20, 21))
        assert listener.changed.is_set()
        for behind in (0, 3, 4, 10, 18):
            assert hub.after("alpha", behind, 10) is None, behind
        assert [each.sequence for each in hub.after("alpha", 19, 10) or ()] == [20, 21]
        assert [each.sequence for each in hub.after("alpha", 19, 1) or ()] == [20]
        hub.publish(reported(22))
        assert [each.sequence for each in hub.after("alpha", 20, 10) or ()] == [21, 22]
