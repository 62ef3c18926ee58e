"""Streams are paired by cursor, and reports cancel what stable differs from itself."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crossrate.api.marketdata.v1 import marketdata_service_pb2
from crossrate.compare.difference import Difference, Manner
from crossrate.compare.message import Comparator
from crossrate.compare.pips import pip_of
from crossrate.compare.shadow import EXAMPLES_MAX, FIELDS_MAX, ShadowReport
from crossrate.compare.stream import WINDOW, StreamComparison
from crossrate.evidence.verdict import Outcome, Tolerance

Response = marketdata_service_pb2.StreamQuotesResponse


def message(cursor: str, bid: float = 1.1, sequence: int = 0) -> Response:
    """One quote of a stream."""
    made = Response()
    made.position.cursor, made.position.sequence = cursor, sequence
    made.quotes.quotes.add(instrument="EUR/USD", bid=bid)
    return made


def heartbeat(cursor: str) -> Response:
    """A message without news."""
    made = Response()
    made.position.cursor = cursor
    made.heartbeat.SetInParent()
    return made


def stream() -> StreamComparison:
    """A comparison of two streams."""
    return StreamComparison(Comparator(pip_of))


def test_messages_are_paired_by_cursor() -> None:
    """Late, out of order and between heartbeats, each message meets its like; a wrong one is told."""
    of = stream()
    assert of.stable(message("a", sequence=1)) is None
    assert of.stable(heartbeat("a")) is None
    assert of.stable(message("b", sequence=3)) is None
    assert of.candidate(message("b", bid=1.2, sequence=1))[0].field == "quotes.quotes[].bid"
    assert of.candidate(message("a", sequence=2)) == []
    assert of.compared == 2
    assert of.finish() == []


def test_what_lacks_between_paired_messages_is_missed() -> None:
    """A message that only one side had is told, unless it lies before the first pair or after the last."""
    of = stream()
    for cursor in "abcd":
        of.stable(message(cursor))
    for cursor in "bxdyz":
        of.candidate(message(cursor))
    missing, extra = of.finish()
    assert (missing.path, missing.manner) == ("[c]", Manner.MISSING)
    assert (extra.path, extra.manner) == ("[x]", Manner.EXTRA)
    whole = stream()
    whole.stable(message("a"))
    whole.candidate(message("b"))
    assert [d.manner for d in whole.finish(complete=True)] == [Manner.MISSING, Manner.EXTRA]


def test_without_cursors_messages_are_paired_by_order() -> None:
    """The first meets the first."""
    of = stream()
    for bid in (1.1, 1.2):
        of.stable(message("", bid))
    assert of.candidate(message("", 1.1)) == []
    assert of.candidate(message("", 1.3)) != []


def test_who_waits_is_bounded() -> None:
    """A side that is far ahead gives its oldest messages up; after the first pair they are told as missing."""
    of = stream()
    of.stable(message("first"))
    of.candidate(message("first"))
    told = [of.stable(message(f"{n}")) for n in range(WINDOW + 3)]
    assert [d[0].path for d in told if d] == ["[0]", "[1]", "[2]"]


def difference(field: str, relative: float | None = None, path: str = "") -> Difference:
    """A difference of a field."""
    return Difference(path or field, field, Manner.VALUE, "1", "2", math.inf, relative)


def test_a_bias_below_endless_noise_is_found() -> None:
    """Stable's last digits always differ by up to 1e-9; a candidate that is off by 1e-6 fails, a like one does not."""
    for seed in range(10):
        random = np.random.default_rng(seed)
        good, bad = ShadowReport(), ShadowReport()
        for _ in range(300):
            noise = [difference("price", random.uniform(0, 1e-9))]
            good.observe([difference("price", random.uniform(0, 1e-9))], noise)
            bad.observe([difference("price", 1e-6)], noise)
        assert good.failed() == ()
        (found,) = bad.failed()
        assert found.largest.relative == 1e-6
        assert found.largest_noise <= 1e-9


def test_a_rare_difference_is_found_when_it_is_no_noise() -> None:
    """A field that differs in 2 % of the calls fails within 4,000, with examples and how often it came."""
    random, report = np.random.default_rng(4), ShadowReport()
    for call in range(4000):
        found = [difference("legs[].rate", 0.1, f"legs[{call}].rate")] if random.random() < 0.02 else []
        new = report.observe(found, [] if call % 4 == 0 else None)
        assert new in ((), ("legs[].rate",))
    (told,) = report.failed()
    assert told.differing > 40
    assert told.noise_calls == 1000
    assert len(told.examples) == EXAMPLES_MAX
    assert len({example.path for example in told.examples}) == EXAMPLES_MAX


def test_no_version_like_stable_is_accused() -> None:
    """Of twenty reports on ten noisy fields each, at most one ever fails any."""
    accused = 0
    for seed in range(20):
        random, report = np.random.default_rng(seed), ShadowReport()
        rates = random.uniform(0.005, 0.5, 10)
        for _ in range(200):
            places = (np.flatnonzero(random.random(10) < rates) for _ in range(2))
            sides = ([difference(f"f{i}", random.random()) for i in of_side] for of_side in places)
            report.observe(*sides)
        accused += bool(report.failed())
    assert accused <= 1


def test_two_way_reports_have_a_ceiling() -> None:
    """Without a second stable a field fails that differs in more than the tolerated share of the calls."""
    report = ShadowReport(tolerance=Tolerance(absolute=0.01), three_way=False)
    for call in range(400):
        report.observe([difference("always"), *([difference("once")] if call == 5 else [])])
    outcomes = {told.field: told.outcome for told in report.fields()}
    assert outcomes["always"] is Outcome.FAIL
    assert outcomes["once"] is not Outcome.FAIL
    with pytest.raises(ValueError, match="absolute"):
        ShadowReport(tolerance=Tolerance(relative=1.0), three_way=False)


def test_fields_are_bounded() -> None:
    """Fields beyond the bound are counted and not followed."""
    report = ShadowReport()
    report.observe([difference(f"f{i}") for i in range(FIELDS_MAX + 7)])
    assert len(report.fields()) == FIELDS_MAX
    assert report.untold == 7
