"""The scripted candidates: what is wrong with each, what has to become of it, and one run of one of them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any

from crossrate.api.control.v1 import release_pb2
from tests.candidates.accounts import AccountCallers, open_accounts
from tests.candidates.callers import Callers, Streams
from tests.candidates.stand import Ended, Stand, decided

RUN_S_MAX = 400.0
PROMOTED, ABORTED = "promoted", "aborted"
STREAMS, MESSAGES = 24, 10
"""Streams at once, and messages of each until it ends: some begin each second, so that some are the candidate's."""
CALIBRATION_CALLS = 8000
ENDLESS = '[[steps]]\nweight_percent = 5\nduration = "1h"\n'


@dataclass(frozen=True, slots=True)
class Scripted:
    """One candidate.

    Args:
        fault: as `tests.candidates` takes it; `{p99}` is a delay that doubles the p99, `{account}` an account that the
            candidate has at 5 %.
        expected: what has to become of it.
        before_calls: whether it has to be out before it gets a call.
        rules: more of the specification.
        candidate: more of its table `[candidate]`.
        quick: whether its steps are short and wait for no pass: what is wrong shows before them.
        slowly: whether it harms no call until it has them all, and is found by what adds up over a minute or two: how
            many calls it had is told apart.
        needs: what has to be there to find it; empty for nothing.
    """

    name: str
    fault: str
    expected: str = ABORTED
    service: str = "marketdata"
    before_calls: bool = False
    rules: str = ""
    candidate: str = ""
    quick: bool = False
    slowly: bool = False
    needs: str = ""


PRICES = """
[[business]]
metric = "price_drift"
method = "MarketDataService/GetQuote"
field = "quote.bid"
same = "quote.sequence"
tolerance = 0.05
bound = 1
"""
"""Quotes of the same number are compared, in pips: their mean may be a twentieth of one off, in no pair more."""
SCRIPTED = (
    Scripted("good", "none", PROMOTED),
    Scripted("errors_1", "errors:0.01"),
    Scripted("errors_5", "errors:0.05"),
    Scripted("unavailable_5", "unavailable:0.05"),
    Scripted("p99_doubled", "slow:{p99}"),
    Scripted("leak", "leak:8"),
    Scripted("wrong_price", "price:EUR/USD@0.2", rules=PRICES),
    Scripted("one_account", "account:{account}", service="ledger"),
    Scripted("streams", "streams"),
    Scripted("burns", "burns:2", rules="processor_relative = 0.5\n", service="ledger", slowly=True),
    Scripted("crash", "crash", service="reference", before_calls=True),
    Scripted("contract", "contract", service="reference", before_calls=True),
    Scripted("slow_start", "start:4", PROMOTED, quick=True),
    Scripted("too_slow_start", "start:60", service="reference", before_calls=True),
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How long steps are, in seconds, and how much is called."""

    step_s: float
    rate: float
    go_on: str = "passed"
    latency_relative: float = 0.5

    def rules(self, scripted: Scripted) -> str:
        """Steps, bounds and analysis of every scripted release: what `mesh/releases/README.md` shows, and defaults."""
        step_s, go_on = (min(self.step_s, 4), "unless_failed") if scripted.quick else (self.step_s, self.go_on)
        first = f'[[steps]]\nweight_percent = 5\nduration = "{step_s:g}s"\n'
        second_s = step_s if scripted.slowly else min(step_s, 10)
        return (
            f'{"" if scripted.slowly else first}[[steps]]\nweight_percent = 50\nduration = "{second_s:g}s"\n'
            '[abort]\nready_within = "20s"\nmemory_growth_mib_max = 48\n'
            f'[analysis]\ngo_on = "{go_on}"\nlatency_relative = {self.latency_relative:g}\n{scripted.rules}'
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one run.

    `detected_s` is from the first call's step, or from the start where it got no call, to the decision; `exposure` the
    candidate's calls over those that the whole 5 % step would have had at the run's rate.
    """

    name: str
    run: int
    seed: int
    outcome: str
    as_expected: bool
    cause: str
    detected_s: float
    candidate_calls: int
    step_calls: float
    exposure: float
    failed_calls: int

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def _seconds(later: Any, earlier: Any) -> float:
    return (later.ToMicroseconds() - earlier.ToMicroseconds()) / 1e6


class Bench:
    """Runs scripted candidates on one mesh."""

    def __init__(self, stand: Stand, sizes: Sizes) -> None:
        self._stand, self._sizes = stand, sizes
        self._filled: dict[str, str] = {}

    @contextlib.asynccontextmanager
    async def _load(self, service: str) -> AsyncIterator[tuple[Callers | AccountCallers, Streams | None]]:
        if service == "ledger":
            accounts = AccountCallers(self._stand.lean_channel, self._sizes.rate)
            async with accounts.calling():
                yield accounts, None
            return
        keys = [f"key-{number}" for number in range(60)]
        callers = Callers(self._stand.lean_channel, keys, 6, self._sizes.rate)
        streams = Streams(self._stand.mesh, STREAMS, MESSAGES)
        async with callers.calling(), streams.streaming():
            await callers.sweep()
            yield callers, streams

    async def _measure_out(self, run: int) -> None:
        """Finds out by how much a call has to be late for the p99 to be doubled, by the stable version's times now: a
        machine is not as busy in every run."""
        stand = self._stand
        name = stand.specify(f"calibration-{run}", "marketdata", "none", ENDLESS)
        async with self._load("marketdata") as (callers, _):
            await stand.start(name)
            await stand.become(name, "stepping")
            seen = callers.calls
            while callers.calls < seen + CALIBRATION_CALLS:
                await callers.sweep()
            release = await stand.get(name)
        await stand.end(name)
        for calls in release.calls:
            if calls.method.endswith("GetQuote") and not calls.candidate and calls.calls:
                p50, p99 = (d.ToMicroseconds() / 1e6 for d in (calls.latency_p50, calls.latency_p99))
                self._filled["p99"] = f"{2 * p99 - p50:.5f}"

    async def calibrate(self, names: set[str]) -> None:
        """Finds out what the faults of some candidates need: accounts of the 5 %."""
        stand = self._stand
        if any(s.service == "ledger" and s.name in names for s in SCRIPTED):
            await open_accounts(stand.mesh)
        if "one_account" in names:
            name = stand.specify("calibration-accounts", "ledger", "none", ENDLESS)
            async with self._load("ledger") as (accounts, _):
                accounts.candidate = name
                await stand.start(name)
                await stand.become(name, "stepping")
                await accounts.sweep()
                self._filled["account"] = next(a for a, by_candidate in sorted(accounts.side.items()) if by_candidate)
            await stand.end(name)

    async def run(self, scripted: Scripted, run: int, seed: int) -> Outcome:
        """One release of one candidate under load."""
        stand, name = self._stand, f"{scripted.name.replace('_', '-')}-{run}"
        if "{p99}" in scripted.fault:
            await self._measure_out(run)
        fault = scripted.fault.format(**self._filled)
        stand.specify(
            name, scripted.service, fault, self._sizes.rules(scripted), seed=seed, candidate=scripted.candidate
        )
        async with self._load(scripted.service) as (callers, streams):
            await stand.start(name)
            try:
                release = await stand.become(name, PROMOTED, ABORTED, within_s=RUN_S_MAX)
            except (TimeoutError, Ended):
                release = await stand.get(name)
                await stand.end(name)
            failed = callers.failures + (streams.failures if streams else type(callers.failures)())
        return self._outcome(scripted, run, seed, release, failed.total())

    def _outcome(self, scripted: Scripted, run: int, seed: int, release: release_pb2.Release, failed: int) -> Outcome:
        phase = release_pb2.ReleasePhase.Name(release.phase).removeprefix("RELEASE_PHASE_").lower()
        ending = decided(release, "aborting") or decided(release, "promoting")
        began = decided(release, "stepped")
        calls = {side: sum(c.calls for c in release.calls if c.candidate is side) for side in (False, True)}
        took_s = _seconds(ending.time, began.time) if ending and began else 0.0
        step_calls = sum(calls.values()) / took_s * self._sizes.step_s if took_s else 0.0
        as_expected = phase == scripted.expected and not (scripted.before_calls and (began or calls[True]))
        since_start = _seconds(ending.time, release.create_time) if ending else RUN_S_MAX
        return Outcome(
            name=scripted.name,
            run=run,
            seed=seed,
            outcome=phase,
            as_expected=as_expected,
            cause=ending.cause.splitlines()[0] if ending else release.cause,
            detected_s=took_s if began else since_start,
            candidate_calls=calls[True],
            step_calls=round(step_calls),
            exposure=calls[True] / step_calls if step_calls else 0.0,
            failed_calls=failed,
        )
