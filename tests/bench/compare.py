#!/usr/bin/env python3
"""What comparing two answers costs, and what judging a candidate does, on one thread without a mesh.

uv run python tests/bench/compare.py            best of seven rounds
uv run python tests/bench/compare.py --quick    best of two
"""

from __future__ import annotations

import argparse
import math
import timeit
from collections.abc import Callable

import numpy as np
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from crossrate.api.marketdata.v1 import marketdata_service_pb2, quote_pb2
from crossrate.api.pricing.v1 import pricing_service_pb2
from crossrate.compare.message import Comparator
from crossrate.compare.pips import pip_of
from crossrate.compare.shadow import ShadowReport
from crossrate.evidence.proportions import ProportionTest
from crossrate.evidence.quantiles import QuantileTest
from crossrate.evidence.verdict import Tolerance
from tests.bench.figures import report

NAMES = ("price", "delta", "gamma", "vega", "theta", "rho_domestic", "rho_foreign")


def best_us(do: Callable[[], object], rounds: int, count: int) -> float:
    """Microseconds of one call, in the best round."""
    return min(timeit.repeat(do, number=count, repeat=rounds)) / count * 1e6


def quotes() -> tuple[type[Message], bytes, bytes]:
    """Two answers of GetQuote that differ in clocks and numbers alone."""
    kind = marketdata_service_pb2.GetQuoteResponse
    made = []
    for sequence in (5, 7):
        quote = quote_pb2.Quote(instrument="EUR/USD", bid=1.1, ask=1.1001, health=1, source="simulated")
        quote.bid_quantity, quote.ask_quantity, quote.sequence = 1e6, 1e6, sequence
        quote.venue_time.FromNanoseconds(10**18 + sequence)
        quote.receive_time.FromNanoseconds(10**18 + sequence)
        made.append(kind(quote=quote).SerializeToString())
    return kind, made[0], made[1]


def batches() -> tuple[type[Message], bytes, bytes]:
    """Two answers of PriceBatch with 1,000 options, of which one vega differs."""
    kind = pricing_service_pb2.PriceBatchResponse
    answer = kind(**{name: [1.1 * i for i in range(1000)] for name in NAMES})
    stable = answer.SerializeToString()
    answer.vega[500] *= 1.0001
    return kind, stable, answer.SerializeToString()


def comparisons(rounds: int) -> dict[str, float]:
    """Equal bytes, what is ignored, and one number of seven thousand."""
    comparator, (quote, a, b), (batch, x, y) = Comparator(pip_of), quotes(), batches()
    copies = bytes(bytearray(a)), bytes(bytearray(x))
    assert comparator.compare_bytes(quote, a, b) == []
    assert [d.path for d in comparator.compare_bytes(batch, x, y)] == ["vega[500]"]

    def as_json() -> bool:
        return MessageToDict(quote.FromString(a)) == MessageToDict(quote.FromString(b))

    ours = best_us(lambda: comparator.compare_bytes(quote, a, b), rounds, 2000)
    return {
        "quote_equal_us": best_us(lambda: comparator.compare_bytes(quote, a, copies[0]), rounds, 20_000),
        "quote_ignored_us": ours,
        "quote_json_over_ours": best_us(as_json, rounds, 2000) / ours,
        "batch_equal_us": best_us(lambda: comparator.compare_bytes(batch, x, copies[1]), rounds, 2000),
        "batch_differs_us": best_us(lambda: comparator.compare_bytes(batch, x, y), rounds, 200),
    }


def judging(rounds: int) -> dict[str, float]:
    """A block of a rate, a look at a quantile, a mirrored call in which nothing and in which one field differs."""
    random = np.random.default_rng(0)
    rate, quantile = ProportionTest(Tolerance(absolute=0.002)), QuantileTest(0.99, Tolerance(relative=0.5))
    comparator, (kind, x, y) = Comparator(pip_of), batches()
    differences = comparator.compare_bytes(kind, x, y)
    quiet, noisy = ShadowReport(), ShadowReport()
    durations = random.lognormal(math.log(0.003), 0.4, 1000)

    def look() -> None:
        quantile.observe(durations[:50], durations)
        quantile.evidence()

    def block() -> None:
        rate.observe(candidate_bad=1, candidate=50, baseline_bad=9, baseline=950)
        rate.evidence()

    return {
        "rate_block_us": best_us(block, rounds, 200),
        "quantile_look_us": best_us(look, rounds, 100),
        "shadow_equal_us": best_us(lambda: quiet.observe([], []), rounds, 2000),
        "shadow_differs_us": best_us(lambda: noisy.observe(differences, []), rounds, 500),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two rounds instead of seven")
    rounds = 2 if parser.parse_args().quick else 7
    report("compare", comparisons(rounds) | judging(rounds))


if __name__ == "__main__":
    main()
