"""Saturation of candidates: what a call takes of the processor beside stable's, bounds on the whole, late loops."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import random
import re
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from services.control.releases import costs as costs_module
from services.control.releases import saturation as saturation_module
from services.control.releases.calls import Ended
from services.control.releases.costs import CallCosts, Cost
from services.control.releases.domain import Release
from services.control.releases.judging import PROCESSOR, Analyst
from services.control.releases.nodes import CandidateState, Running, _instances
from services.control.releases.rules import Analysis
from services.control.releases.saturation import Saturation, Told, told_by
from services.control.releases.specification import read

UNARY, STREAM = "/a.Service/Get", "/a.Service/Watch"
NAMES = {True: "reference-901", False: "reference-1"}
COMPARED = Analysis(errors_absolute=0.3, latency_relative=50, processor_relative=0.5)
"""An analysis that processor time alone decides."""


@dataclass
class World:
    """Two processes: what each has used, in seconds, and when that was read."""

    chance: random.Random = field(default_factory=lambda: random.Random(3))
    now_s: float = 1000.0
    used_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(NAMES.values(), 5.0))

    def running(self) -> Running:
        """As the node tells it."""
        state = CandidateState(NAMES[True], "running", 0, "", "", 100.0, self.used_s[NAMES[True]])
        return Running((state,), {NAMES[False]: 100.0}, {NAMES[False]: self.used_s[NAMES[False]]}, self.now_s)

    def pass_by(self, costs: CallCosts, seconds: float, idle_s: float) -> None:
        """Time without calls, read by the node four times a second."""
        for _ in range(round(seconds * 4)):
            self.now_s += 0.25
            for name in self.used_s:
                self.used_s[name] += 0.25 * idle_s * self.chance.uniform(0.5, 1.5)
            costs.read(self.running())

    def work(self, costs: CallCosts, calls: dict[bool, int], call_s: dict[bool, float], idle_s: float) -> list[Ended]:
        """A second with about so many calls of each version, each for about so long; returns those that ended."""
        ended: list[Ended] = []
        for side, name in NAMES.items():
            count = round(self.chance.gauss(calls[side], calls[side] ** 0.5)) if calls[side] else 0
            spent = sum(call_s[side] * self.chance.expovariate(1) for _ in range(count))
            self.used_s[name] += spent + idle_s * self.chance.uniform(0.5, 1.5)
            ended += [Ended(UNARY, side, False, 0.002)] * count
        self.now_s += 1.0
        costs.read(self.running())
        return ended


def called(costs: CallCosts, world: World, seconds: int, **more: Any) -> list[Cost]:
    """The pairs of so many seconds."""
    given = {"calls": {True: 40, False: 44}, "call_s": {True: 3e-4, False: 3e-4}, "idle_s": 0.004} | more
    found = [costs.look(world.work(costs, **given)) for _ in range(seconds)]
    return [cost for cost in found if cost is not None]


def begun(world: World, *, streams: bool = False, idle_s: float = 0.004) -> CallCosts:
    """Costs of a candidate that has been seen without calls."""
    costs = CallCosts(lambda path: path == UNARY, streams)
    world.pass_by(costs, 2, idle_s)
    return costs


def mean(values: list[float]) -> float:
    """Of some values."""
    return sum(values) / len(values)


def test_idle_use_is_not_charged_to_calls() -> None:
    """Both versions have the same call and the same background, which is nearly as much as the candidate's calls: a
    call costs both the same."""
    world = World()
    pairs = called(begun(world, idle_s=0.01), world, 100, idle_s=0.01)
    assert len(pairs) > 60
    assert mean([p.candidate_ms for p in pairs]) == pytest.approx(0.3, rel=0.15)
    # Stable is never without calls: what it does beside them stays with it.
    assert mean([p.stable_ms for p in pairs]) == pytest.approx(0.3 + 10 / 44, rel=0.05)
    assert mean([p.candidate_calls for p in pairs]) == pytest.approx(40, rel=0.1)


def test_what_is_not_comparable_is_left_out_and_said() -> None:
    """The first seconds of calls, a candidate whose background is not known or more than its calls, a version without
    calls, and processes that were replaced."""
    world = World()
    costs = begun(world)
    assert called(costs, world, 10) == []
    assert costs.left_out == "its calls have only begun"
    assert called(costs, world, 5)
    assert costs.left_out == ""
    assert called(costs, world, 12, calls={True: 40, False: 0}) == []
    assert costs.left_out == "a version has fewer than 20 calls in 10 s"
    world.used_s[NAMES[False]] = 0.5
    assert called(costs, world, 1) == []
    assert costs.left_out == "instances have come or gone"
    assert called(costs, world, 5)

    assert called(costs, world, 1, calls={True: 40, False: 400}) == []
    assert "an instance of it has" in costs.left_out
    assert "what a call takes is compared from half as many on" in costs.left_out
    assert called(costs, world, 5)

    unknown = CallCosts(lambda path: path == UNARY, streams=False)
    assert called(unknown, World(), 20) == []
    assert unknown.left_out == "what it takes without calls has not been seen yet"

    world = World()
    costs = begun(world, idle_s=0.2)
    assert called(costs, world, 30) == []
    assert "what it takes without calls is" in costs.left_out

    nothing = CallCosts(lambda path: True, streams=False)
    nothing.read(Running())
    assert nothing.look([Ended(UNARY, True, False, 0.1)]) is None
    assert "told no processor time" in nothing.left_out


def test_few_calls_make_longer_spans() -> None:
    """At eight calls a second of the candidate a pair has those of about three."""
    world = World()
    pairs = called(begun(world, idle_s=0.001), world, 100, calls={True: 8, False: 12}, idle_s=0.001)
    assert 20 <= len(pairs) <= 40
    assert all(p.candidate_calls >= costs_module.CALLS_MIN for p in pairs)


def test_streams_count_for_what_they_send() -> None:
    """Only spans count in which the candidate's streams sent no more a call than stable's; an instance that does not
    tell leaves all out, and calls of streams are none of those that the time is divided by."""
    world = World()
    costs = begun(world, streams=True)
    assert called(costs, world, 15) == []
    assert costs.left_out == "an instance does not tell what its streams send"
    sent = dict.fromkeys(NAMES.values(), 0)
    kept: dict[int, list[Cost]] = {}
    for messages in (5, 5000):
        kept[messages] = []
        for _ in range(10):
            sent = {NAMES[True]: sent[NAMES[True]] + messages, NAMES[False]: sent[NAMES[False]] + 1000}
            costs.streamed(sent)
            ended = world.work(costs, {True: 40, False: 44}, {True: 3e-4, False: 3e-4}, 0.004)
            ended += [Ended(STREAM, True, False, 5.0)] * 30
            cost = costs.look(ended)
            kept[messages] += [] if cost is None else [cost]
    assert len(kept[5]) >= 9
    assert max(p.candidate_calls for p in kept[5]) < 70
    assert kept[5000] == []
    assert costs.left_out == "its streams send more messages a call than those of the stable version"


def test_a_repeated_call_of_a_shadow_is_no_idle_use() -> None:
    """While calls are mirrored to it, what a candidate takes is not taken for its background."""
    world = World()
    costs = begun(world)
    costs.busy()
    world.pass_by(costs, 20, 0.5)
    pairs = called(costs, world, 40)
    assert mean([p.candidate_ms for p in pairs]) == pytest.approx(0.3, rel=0.2)


def analysed(seconds: int, factor: float, seed: int = 3, kept: Any = None) -> Analyst:
    """An analysis after so many seconds at 300 calls a second of a candidate whose calls take so many times as long."""
    world = World(random.Random(seed))
    costs = begun(world)
    analyst = Analyst(
        COMPARED,
        lambda path: path == UNARY,
        costs=costs,
    )
    for _ in range(seconds):
        analyst.look(world.work(costs, {True: 300, False: 400}, {True: 3e-4 * factor, False: 3e-4}, 0.004))
        if analyst.against:
            break
    return analyst


def test_a_candidate_that_takes_twice_the_time_a_call_is_failed_with_the_figures() -> None:
    """Within 200 seconds at 300 calls a second; a candidate that takes the same is not, and passes."""
    for seed in range(5):
        found = re.match(
            r"processor_time_a_call fails: ([\d.]+) ms .* beside ([\d.]+) ms", analysed(200, 2.0, seed).against
        )
        assert found is not None
        assert float(found[1]) == pytest.approx(0.6, rel=0.1)
        assert float(found[2]) == pytest.approx(0.31, rel=0.1)
        good = analysed(200, 1.0, seed)
        assert good.against == ""
        assert {f.outcome for f in good.findings() if f.metric == PROCESSOR} == {"PASS"}


def test_until_then_it_says_how_many_more_calls_or_why_none_counts() -> None:
    """A verdict is there from the first look, in words; no step waits for it."""
    (first,) = [f for f in analysed(1, 2.0).findings() if f.metric == PROCESSOR]
    assert first.outcome == "NOT_ENOUGH_DATA"
    assert "the last seconds are left out" in first.explanation
    (later,) = [f for f in analysed(25, 2.0).findings() if f.metric == PROCESSOR]
    assert later.outcome == "NOT_ENOUGH_DATA"
    assert f"about {later.calls_needed} more calls needed" in later.explanation
    without = Analyst(Analysis(errors_absolute=0.3, processor_relative=0.5), lambda path: True)
    without.look([])
    assert not [f for f in without.findings() if f.metric == PROCESSOR]


def test_it_goes_on_after_a_restart_of_control() -> None:
    """The test, what was seen of the background and of stable's costs are kept; what an earlier version of control has
    kept is taken as well."""
    analyst = analysed(40, 1.0)
    state = json.loads(json.dumps(analyst.state()))
    world = World()
    again = Analyst(COMPARED, lambda path: True, costs=(costs := CallCosts(lambda path: path == UNARY, False)))
    again.restore(state)

    def words(of: Analyst) -> list[str]:
        return [f.explanation.partition(";")[0] for f in of.findings() if f.metric == PROCESSOR]

    assert words(again) == words(analyst)
    # It has calls from the first moment on, and its background is known nevertheless.
    assert called(costs, world, 20)
    earlier = {key: value for key, value in state.items() if key != "costs"}
    Analyst(
        Analysis(errors_absolute=0.3, processor_relative=0.5),
        lambda path: True,
        costs=CallCosts(lambda path: True, False),
    ).restore(earlier)


def release(**more: Any) -> Release:
    """A release of reference with some tables."""
    document = {
        "service": "reference",
        "strategy": "canary",
        "candidate": {"version": "2.0.0"},
        "steps": [{"weight_percent": 5, "duration": "1m"}],
    }
    return Release("id", "canary", read(document | more, ["reference"], []), dt.datetime.now(dt.UTC))


def test_the_processor_of_an_instance_has_a_bound() -> None:
    """Over the whole of its time; a short burst does not, and neither do two halves of two processes."""
    saturation = Saturation(release(abort={"processor_percent_max": 80, "processor_over": "10s"}))
    assert saturation.costs is None
    assert not saturation.asks
    world = World()
    for percent, seconds in ((20, 30), (100, 6), (20, 4), (100, 6)):
        for _ in range(seconds):
            world.now_s += 1
            world.used_s[NAMES[True]] += percent / 100
            world.used_s[NAMES[False]] += 1.0
            saturation.look(world.running())
    world.used_s[NAMES[True]] = 0.1
    saturation.look(world.running())
    assert saturation.against == ""
    for _ in range(10):
        world.now_s += 1
        world.used_s[NAMES[True]] += 0.9
        saturation.look(world.running())
    assert saturation.against == "reference-901 took 90 % of one processor over 10 s, where it may take 80 %"


def test_an_event_loop_that_stays_late_speaks_against_a_candidate() -> None:
    """For as long as it is late and stable's is not; a machine that stands still, and one stall, say nothing."""
    now = [0.0]
    saturation = Saturation(release(abort={"loop_lag_ms_max": 100}), lambda: now[0])
    assert saturation.asks

    def tell(candidate: float | None, stable: float | None) -> None:
        now[0] += 1
        lags = {NAMES[True]: candidate, NAMES[False]: stable}
        saturation.take({n: Told(loop_lag_ms=lag) for n, lag in lags.items()}, {NAMES[True]})

    for candidate, stable, times in ((400, 5, 9), (20, 5, 1), (400, 300, 30), (400, 5, 10), (None, None, 1)):
        for _ in range(times):
            tell(candidate, stable)
    assert saturation.against == ""
    for _ in range(5):
        tell(250, 5)
    # It cannot even answer: that makes it no quicker.
    now[0] += 3
    saturation.take({NAMES[False]: Told(loop_lag_ms=5)}, {NAMES[True]})
    for _ in range(3):
        tell(250, 5)
    assert saturation.against.startswith("the event loop of reference-901 is late by up to 250 ms since 10 s")


def test_what_the_specification_says_decides_what_is_compared() -> None:
    """Without analysis, or with a tolerance of nothing at all, calls are not compared; a service with streams is asked
    what these send."""
    assert Saturation(release()).costs is None
    assert Saturation(release(analysis={})).costs is None
    compared = Saturation(release(analysis={"processor_relative": 0.5}))
    assert compared.costs is not None
    assert not compared.asks
    answer = instance_pb2.MeasureInstanceResponse()
    answer.calls.add(method="a", sent_count=7, streaming=True)
    answer.calls.add(method="b", sent_count=9)
    assert told_by(answer) == Told(7, None)
    answer.loop_lag_max.FromMilliseconds(30)
    assert told_by(answer) == Told(7, 30.0)


def test_a_node_that_tells_no_times_is_one_of_before() -> None:
    """Its answer is read, and nothing is compared."""
    candidate = {"name": "reference-901", "state": "ready", "restarts": 0, "detail": "", "log": "", "rss_mib": 1.0}
    seen = _instances({"candidates": [candidate], "stable_rss_mib": {"reference-1": 2.0}})
    assert (seen.read_s, seen.candidates[0].processor_s, dict(seen.stable_processor_s)) == (0.0, 0.0, {})


async def test_a_candidate_is_left_alone_for_a_moment_before_its_first_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the node has read what it takes without calls, whatever its start took; a node that does not answer keeps
    it for some seconds, and without a comparison nobody waits."""
    await Saturation(release()).rest()
    world = World()
    rested = Saturation(release(analysis={"processor_relative": 0.5}))
    assert rested.costs is not None
    world.pass_by(rested.costs, 5, 2.0)
    resting = asyncio.create_task(rested.rest())
    await asyncio.sleep(0)
    assert not rested.costs.rested
    world.pass_by(rested.costs, 2, 0.004)
    rested.look(world.running())
    async with asyncio.timeout(60):
        await resting
    assert max(rested.costs.state()["idle"][True]) < 0.01

    monkeypatch.setattr(saturation_module, "REST_S_MAX", 0.05)
    silent = Saturation(release(analysis={"processor_relative": 0.5}))
    async with asyncio.timeout(60):
        await silent.rest()
    assert silent.costs is not None
    assert not silent.costs.rested


async def test_instances_are_asked_on_when_one_goes_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that is cancelled with the channel of an instance ends nothing; the next answers count, and whoever
    asks ends when it is told to."""
    monkeypatch.setattr(saturation_module, "ASK_EVERY_S", 0.0)
    asked, often, late = 0, asyncio.Event(), instance_pb2.MeasureInstanceResponse()
    late.loop_lag_max.FromMilliseconds(900)

    class Instances:
        async def ask(self, question: Any, service: str) -> Any:
            nonlocal asked
            asked += 1
            if asked == 1:
                raise asyncio.CancelledError
            if asked == 20:
                often.set()
            return {NAMES[True]: late}, {}

    world: Any = SimpleNamespace(instances=Instances(), candidates=lambda service: [SimpleNamespace(name=NAMES[True])])
    ticks = iter(range(10**6))
    saturation = Saturation(release(abort={"loop_lag_ms_max": 100}), lambda: float(next(ticks)))
    asking = asyncio.create_task(saturation.ask(world, "reference"))
    async with asyncio.timeout(60):
        await often.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert "by up to 900 ms" in saturation.against


def test_a_log_of_calls_that_is_lost_for_a_while_makes_no_call_of_stable_cheap() -> None:
    """Seconds in which both versions work and nothing is logged look like seconds without calls: what they took is not
    taken off stable's calls afterwards, beyond what the candidate takes without calls."""
    world = World()
    costs = begun(world)
    assert called(costs, world, 15)
    for _ in range(6):
        world.work(costs, {True: 40, False: 44}, {True: 3e-4, False: 3e-4}, 0.004)
        assert costs.look([]) is None
    pairs = called(costs, world, 30)
    stable_ms, candidate_ms = (mean([getattr(p, name) for p in pairs[3:]]) for name in ("stable_ms", "candidate_ms"))
    assert stable_ms > 0.2
    assert candidate_ms < stable_ms + 0.05


def test_stable_without_calls_now_and_then_gives_up_its_background_too() -> None:
    """Where stable is seen without calls, what it takes then is taken off its calls."""
    world = World()
    costs = begun(world, idle_s=0.01)
    called(costs, world, 12, idle_s=0.01)
    called(costs, world, 6, calls={True: 40, False: 0}, idle_s=0.01)
    pairs = called(costs, world, 60, calls={True: 60, False: 60}, idle_s=0.01)
    assert 0.27 < mean([p.stable_ms for p in pairs[3:]]) < 0.3 + 10 / 60 / 2
