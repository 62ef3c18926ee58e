"""Evidence of recorded calls: asked in pairs, as many as clients leave free, and what the tests make of them."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from google.rpc import status_pb2

from crossrate.rpc.contract import contracts, find_method
from crossrate.rpc.mirror import Mirrored
from crossrate.rpc.release_mark import MARK_HEADER, OF_NOBODY, mark_of
from services.control.releases.calls import Ended
from services.control.releases.judging import REPLAYED, Analyst
from services.control.releases.specification import Analysis, SpecificationError, read
from services.control.shadow.asking import Answer
from services.control.shadow.filling import BURST_MAX, Filling, code_of, marked

GET = find_method("GetInstrument")


def instance(name: str) -> Any:
    """An instance that serves."""
    backend = "reference-candidate" if name.endswith("901") else "reference"
    return SimpleNamespace(name=name, backend=backend, serving=True, socket=name)


class Answers:
    """Answers by socket, each a moment later; it writes down who was asked."""

    def __init__(self, codes: dict[str, int]) -> None:
        self.codes, self.asked, self.now = codes, [], 0.0

    def clock(self) -> float:
        """Now."""
        return self.now

    async def unary(self, socket: str, *_: Any) -> Answer:
        """One call's outcome; the candidate is the slower one."""
        self.asked.append(socket)
        self.now += 0.003 if socket.endswith("901") else 0.002
        code = self.codes.get(socket, 0)
        return Answer(None, status_pb2.Status(code=code)) if code else Answer(b"")


def filling(codes: dict[str, int], *names: str, per_s: int = 10) -> tuple[Filling, Answers]:
    """A filling of reference with some instances."""
    registry: Any = SimpleNamespace(instances={name: instance(name) for name in names})
    answers = Answers(codes)
    made = Filling(registry, "reference", per_s, contracts(), structlog.get_logger(), answers.clock)
    made._asking = answers  # type: ignore[assignment]
    return made, answers


def call() -> Mirrored:
    """A call that a client made."""
    return Mirrored(0, GET.path, "id", {}, b"", b"", None, 0)


async def test_both_versions_are_asked_and_either_is_the_first_in_turns() -> None:
    """Codes and times are of each; a refusal of a request is an answer, and what the server is to blame for is none."""
    made, answers = filling({"reference-901": 13, "reference-1": 5}, "reference-1", "reference-901")
    assert await made.ask(call())
    assert await made.ask(call())
    assert answers.asked == ["reference-1", "reference-901", "reference-901", "reference-1"]
    ended = made.seen(0)
    assert [(e.candidate, e.failed, round(e.seconds, 6)) for e in ended[:2]] == [
        (False, False, 0.002),
        (True, True, 0.003),
    ]
    assert all(e.replayed and e.method == GET.path for e in ended)
    assert made.seen(0) == []


async def test_without_one_of_the_versions_nobody_is_asked() -> None:
    """What one version alone has answered compares nothing."""
    made, answers = filling({}, "reference-1")
    assert not await made.ask(call())
    assert (answers.asked, made.seen(0)) == ([], [])


@pytest.mark.parametrize("code", [7, 16])
async def test_who_may_not_call_any_more_is_not_asked_for_again(code: int) -> None:
    """Its call is let go of, and neither answer counts."""
    made, _ = filling({"reference-1": code}, "reference-1", "reference-901")
    kept = call()
    made._take(kept, "reference-1")
    assert made._record.next() is kept
    assert await made.ask(kept)
    assert (made.seen(0), made._record.next()) == ([], None)


def test_clients_come_first() -> None:
    """As many pairs a second as clients leave free; what was not asked in time is made up for within bounds."""
    made, answers = filling({}, per_s=10)
    assert sum(made.due(0.05) for _ in range(200)) == 100
    assert made.due(60) == BURST_MAX
    answers.now = 2.0
    made.seen(16)
    assert sum(made.due(0.05) for _ in range(200)) in (19, 20)
    answers.now = 3.0
    made.seen(11)
    assert sum(made.due(0.05) for _ in range(200)) == 0


def test_a_repeated_call_bears_the_mark_of_the_version_that_is_asked() -> None:
    """Of a release of several services; what has no mark, or is made for nobody's call, stays as it was."""
    stable = {MARK_HEADER: mark_of("id", "stable"), "x-crossrate-roles": "[]"}
    assert marked(stable, candidate=True) == {**stable, MARK_HEADER: mark_of("id", "candidate")}
    assert marked(stable, candidate=False) == stable
    for others in ({}, {MARK_HEADER: OF_NOBODY}):
        assert marked(others, candidate=True) == others


def test_codes_are_numbers() -> None:
    """As the log of calls has them."""
    assert [code_of(Answer(b"")), code_of(Answer(None, status_pb2.Status(code=14)))] == ["0", "14"]


def pairs(chance: random.Random, errors: float, slower: float = 1.0) -> list[Ended]:
    """A second of repeated calls."""
    return [
        Ended(
            GET.path,
            side,
            side and chance.random() < errors,
            chance.uniform(1, 2) * (slower if side else 1),
            replayed=True,
        )
        for _ in range(20)
        for side in (True, False)
    ]


@pytest.mark.parametrize(
    ("errors", "slower", "words"),
    [(0.0, 1.0, ""), (0.3, 1.0, "errors fails"), (0.0, 3.0, "replayed_latency fails")],
    ids=["good", "errors", "slow"],
)
def test_recorded_calls_decide_where_no_client_calls(errors: float, slower: float, words: str) -> None:
    """An equal candidate passes without a call of a client, one that fails or is slow does not; the sentence says how
    many of its calls were recorded ones, also after a restart."""
    analysis = Analysis(errors_absolute=0.05, fill_calls_per_s=20)
    analyst, chance = Analyst(analysis, lambda path: True), random.Random(8)
    for _ in range(100):
        analyst.look(pairs(chance, errors, slower))
    assert (words in analyst.against) if words else analyst.may_go_on, analyst.findings()
    again = Analyst(analysis, lambda path: True)
    again.restore(analyst.state())
    told = {(f.metric, f.segment): f for f in again.findings()}
    assert "; 2000 of the candidate's calls were recorded ones" in told["errors", ""].explanation
    assert (REPLAYED, "") in told
    assert ("latency", "") not in told or told["latency", ""].outcome == "NOT_ENOUGH_DATA"


def test_times_of_clients_calls_are_not_compared_with_those_of_recorded_ones() -> None:
    """Recorded calls are ten times as fast here, and most of them are the candidate's: neither test takes the one for
    the other."""
    analyst, chance = Analyst(Analysis(errors_absolute=0.3, fill_calls_per_s=20), lambda path: True), random.Random(9)
    for _ in range(100):
        slow = [Ended(GET.path, n < 2, False, 10 * chance.uniform(1, 2)) for n in range(20)]
        analyst.look([*slow, *pairs(chance, 0.0)])
    assert analyst.against == ""
    assert {f.outcome for f in analyst.findings() if f.metric == REPLAYED and not f.segment} == {"PASS"}


def test_a_service_without_such_methods_cannot_be_filled_up() -> None:
    """The specification is refused with field and remedy."""
    document = {"service": "edge", "candidate": {"version": "2"}, "analysis": {"fill_calls_per_s": 5}}
    document |= {"steps": [{"weight_percent": 5, "duration": "1m"}]}
    with pytest.raises(SpecificationError) as caught:
        read(document, ["edge"], [])
    assert caught.value.problems[0][0] == "analysis.fill_calls_per_s"
