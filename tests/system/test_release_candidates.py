"""Scripted candidates on a real mesh, each once, and weight changes under load; `tests/bench/canary.py` measures them.

Those that crash, break the contract or fail a fifth of their calls are in `test_releases.py`, in every run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.bench.canary_shift import measure_shifts
from tests.candidates.scripted import SCRIPTED, Bench, Scripted, Sizes
from tests.candidates.stand import TOPOLOGY, Stand
from tests.releasing import releasing

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.asyncio(loop_scope="module")]

RATE = 400.0
SEED = 7
BY_LATENCY = "p99_doubled"
"""Tails of a machine that others use say nothing: this one is the benchmark's alone."""
BY_PROCESSOR = "burns"
"""It shows after a minute or more of like shares, and so has a step of its own, and more calls."""
BURN_STEP_S, BURN_RATE = 300.0, 800.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory) -> AsyncIterator[Stand]:
    """One mesh for all of these tests."""
    folder: Path = tmp_path_factory.mktemp("candidates")
    with releasing(folder, TOPOLOGY) as mesh:
        stand = Stand(folder, mesh)
        yield stand
        await stand.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(stand: Stand) -> Bench:
    """Candidates under load, at steps that end as soon as nothing speaks against going on."""
    bench = Bench(stand, Sizes(step_s=90, rate=RATE, go_on="unless_failed", latency_relative=9))
    await bench.calibrate({s.name for s in SCRIPTED} - {BY_LATENCY})
    return bench


@pytest.mark.parametrize(
    "scripted", [s for s in SCRIPTED if s.name not in (BY_LATENCY, BY_PROCESSOR)], ids=lambda s: s.name
)
async def test_every_scripted_candidate_becomes_what_it_has_to(bench: Bench, scripted: Scripted) -> None:
    """The good ones are promoted and fail no call; the bad ones are taken back, those that cannot serve before they get
    a call."""
    outcome = await bench.run(scripted, run=0, seed=SEED)
    print(outcome.document())
    assert outcome.as_expected, outcome
    if scripted.fault == "none" or scripted.before_calls:
        assert outcome.failed_calls == 0, outcome


async def test_a_candidate_that_burns_processor_time_is_taken_back_by_it(stand: Stand, bench: Bench) -> None:
    """Its answers are right and its times within bounds; what a call takes of the processor is twice what it takes
    stable. The accounts that are asked for were opened for the others."""
    patient = Bench(stand, Sizes(step_s=BURN_STEP_S, rate=BURN_RATE, go_on="unless_failed", latency_relative=9))
    outcome = await patient.run(next(s for s in SCRIPTED if s.name == BY_PROCESSOR), run=0, seed=SEED)
    print(outcome.document())
    assert outcome.as_expected, outcome
    assert "processor_time_a_call fails" in outcome.cause
    assert outcome.failed_calls == 0, outcome


async def test_weight_changes_fail_no_call_and_mix_no_key(stand: Stand) -> None:
    """Through 22 weight changes each key goes to the candidate once and back once, and neither a call nor a stream
    fails."""
    found, callers, streams = await measure_shifts(stand, rounds=2, steps=10, rate=RATE)
    assert found.changes == 22
    assert callers.failures == streams.failures == {}
    assert callers.mixed == []
    assert min(found.share_p) > 1e-6
