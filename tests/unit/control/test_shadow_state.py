"""What a shadow has found, written down and read again."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import structlog

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.compare.message import Comparator
from crossrate.compare.pips import pip_of
from crossrate.rpc.contract import contracts, find_method
from services.control.shadow.asking import Answer
from services.control.shadow.comparing import MethodComparison
from services.control.shadow.plan import ShadowPlan
from services.control.shadow.repeating import Shadow

GET_QUOTE = find_method("GetQuote")
REQUEST = marketdata.GetQuoteRequest(base="EUR", counter="USD").SerializeToString()


def quote(bid: float, source: str) -> Answer:
    """An answer of GetQuote."""
    made = quote_pb2.Quote(instrument="EUR/USD", bid=bid, ask=1.2, source=source)
    return Answer(marketdata.GetQuoteResponse(quote=made).SerializeToString())


def compared(chance: random.Random, comparison: MethodComparison, first: int, last: int) -> None:
    """Calls in which a price drifts, another field differs now and then, and stable differs from itself."""
    for number in range(first, last):
        noise = chance.random() < 0.1
        stable, again = quote(1.1, "ecb"), quote(1.3 if noise else 1.1, "ecb")
        candidate = quote(1.10002, "other" if chance.random() < 0.2 else "ecb")
        comparison.take(REQUEST, f"call-{number}", stable, candidate, again)


def comparison() -> MethodComparison:
    """A comparison of GetQuote."""
    return MethodComparison(GET_QUOTE, Comparator(pip_of), ShadowPlan(), 0.01)


@pytest.mark.parametrize("cut", [0, 1, 7, 100, 299])
def test_a_comparison_goes_on_where_it_was(cut: int) -> None:
    """Wherever it was written down, in the middle of a block too: counts, examples with their calls, drifts and
    verdicts are those of one that was never interrupted."""
    whole, part = comparison(), comparison()
    one, other = random.Random(7), random.Random(7)
    compared(one, whole, 0, 300)
    compared(other, part, 0, cut)
    part.replayed, part.skipped = 3, 2
    written = json.loads(json.dumps(part.state()))
    resumed = comparison()
    resumed.restore(written)
    assert (resumed.replayed, resumed.skipped, resumed.calls) == (3, 2, cut)
    compared(other, resumed, cut, 300)
    resumed.replayed = resumed.skipped = 0
    assert resumed.seen() == whole.seen()
    assert {field.outcome for field in whole.seen().fields} >= {"FAIL"}


def shadow(plan: ShadowPlan) -> Shadow:
    """A shadow of marketdata that does not run."""
    registry: Any = None
    return Shadow(registry, "marketdata", plan, contracts(), structlog.get_logger())


def test_a_shadow_goes_on_with_its_methods() -> None:
    """What is kept of another plan's methods is refused, and changes nothing."""
    before = shadow(ShadowPlan(calls=20))
    compared(random.Random(1), before._methods[GET_QUOTE.path], 0, 40)
    before._dropped = 5
    written = json.loads(json.dumps(before.state()))
    assert list(written["methods"]) == [GET_QUOTE.path]
    after = shadow(ShadowPlan(calls=20))
    after.restore(written)
    assert after.seen() == before.seen()
    assert (after.seen().calls, after.seen().dropped) == (40, 5)
    others = shadow(ShadowPlan(methods=("ListFeeds",)))
    with pytest.raises(KeyError):
        others.restore(written)
    assert (others.seen().calls, others.seen().dropped) == (0, 0)
    broken = written | {"methods": {GET_QUOTE.path: {"report": {}}}}
    with pytest.raises(KeyError):
        after.restore(broken)
    assert after.seen().calls == 40
