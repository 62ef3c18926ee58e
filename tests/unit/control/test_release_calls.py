"""What is seen of calls: counts and times from log entries, bounds, and the analysis."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from crossrate.rpc.release_mark import RELEASE_HEADER
from services.control.envoy_api import message_class
from services.control.releases.calls import CallLog, Ended, Seen, by_bounds
from services.control.releases.judging import Analyst
from services.control.releases.kept_evidence import KeptEvidence
from services.control.releases.rules import Abort, Analysis
from services.control.releases.windows import Windows
from services.control.shares import SIDE_HEADER

PATH = "/crossrate.api.reference.v1.ReferenceService/GetInstrument"
STREAM = "/crossrate.api.marketdata.v1.MarketDataService/StreamQuotes"


def entry(socket: str, code: str, milliseconds: int, release: str = "id", *, in_trailers: bool = True):
    """One call as Envoy logs it."""
    logged = message_class("envoy.data.accesslog.v3.HTTPAccessLogEntry")()
    logged.request.path = PATH
    logged.request.request_headers[RELEASE_HEADER] = release
    logged.common_properties.upstream_remote_address.pipe.path = socket
    logged.common_properties.time_to_last_downstream_tx_byte.FromMilliseconds(milliseconds)
    if code:
        where = logged.response.response_trailers if in_trailers else logged.response.response_headers
        where["grpc-status"] = code
    return logged


def test_calls_are_counted_by_version_and_code() -> None:
    """Codes in trailers and in headers; no code is a failure, a refusal and a cancelled call are none; calls of other
    releases are not looked at."""
    log = CallLog(lambda socket: socket == "/c")
    log.begin("id")
    log.take(entry("/s", "0", 2))
    log.take(entry("/c", "9", 4, in_trailers=False))
    log.take(entry("/c", "13", 4))
    log.take(entry("/c", "", 4))
    log.take(entry("/c", "1", 4))
    log.take(entry("/c", "0", 4, release="another"))
    stable, candidate = log.summary("id")
    assert (stable.candidate, stable.calls, stable.failures) == (False, 1, 0)
    assert (candidate.candidate, candidate.calls, candidate.failures) == (True, 3, 2)
    assert stable.latency_p50_ms == pytest.approx(2, rel=0.09)
    assert [call.failed for call in log.fresh("id")] == [False, False, True, True]
    assert log.fresh("id") == []
    log.forget("id")
    log.take(entry("/c", "0", 4))
    assert log.summary("id") == ()


def test_calls_of_several_services_are_counted_apart() -> None:
    """Under one release's header by the service of their method; what no part of the release answers is not counted."""
    log = CallLog(lambda socket: socket == "/c")
    log.begin("id.reference")
    log.begin("id.pricing")
    log.take(entry("/c", "0", 2, release="id"))
    other = entry("/s", "0", 2, release="id")
    other.request.path = "/crossrate.api.pricing.v1.PricingService/Price"
    log.take(other)
    other.request.path = "/crossrate.api.ledger.v1.LedgerService/GetBalances"
    log.take(other)
    found = [(c.method.split("/")[1], c.candidate) for p in ("reference", "pricing") for c in log.summary(f"id.{p}")]
    assert found == [
        ("crossrate.api.reference.v1.ReferenceService", True),
        ("crossrate.api.pricing.v1.PricingService", False),
    ]


def left(path: str, after_s: float, timeout: str = "2S", *, answered: bool = False):
    """A call that its caller has left."""
    logged = entry("/c", "", 0)
    logged.request.path = path
    logged.request.request_headers["grpc-timeout"] = timeout
    logged.common_properties.ClearField("time_to_last_downstream_tx_byte")
    logged.common_properties.response_flags.downstream_remote_reset = True
    logged.common_properties.duration.FromMilliseconds(round(after_s * 1000))
    if answered:
        logged.common_properties.time_to_first_downstream_tx_byte.FromMilliseconds(1)
    return logged


@pytest.mark.parametrize(
    ("logged", "calls", "failures"),
    [
        (left(STREAM, 30, answered=True), 1, 0),
        (left(STREAM, 30), 0, 0),
        (left(PATH, 0.5), 0, 0),
        (left(PATH, 1.99), 1, 1),
        (left(PATH, 1.99, "10S"), 0, 0),
        (left(PATH, 1.99, "none"), 0, 0),
    ],
    ids=["stream", "stream-unanswered", "early", "at-its-deadline", "before-its-deadline", "no-deadline"],
)
def test_a_caller_who_leaves_speaks_against_nobody_unless_its_time_was_up(logged, calls: int, failures: int) -> None:
    """A stream that was answered and is left has gone well; a unary call that is left when its deadline has passed is a
    failure, and before that says nothing."""
    log = CallLog(lambda socket: socket == "/c")
    log.begin("id")
    log.take(logged)
    (seen,) = log.summary("id")
    assert (seen.calls, seen.failures) == (calls, failures)


def test_a_call_that_was_repeated_is_a_failure_of_the_version_that_it_was_sent_to() -> None:
    """Though its caller was spared it, and another version answered; so is one that nobody answered."""
    log = CallLog(lambda socket: socket == "/c")
    log.begin("id")
    for socket, attempts, side in (("/s", 2, "candidate"), ("/c", 3, "candidate"), ("", 0, "candidate")):
        logged = entry(socket, "0" if socket else "14", 9)
        logged.common_properties.upstream_request_attempt_count = attempts
        logged.request.request_headers[SIDE_HEADER] = side
        log.take(logged)
    (seen,) = log.summary("id")
    assert (seen.candidate, seen.calls, seen.failures) == (True, 3, 3)


def test_a_stream_that_holds_counts_once_before_it_ends() -> None:
    """Entries about calls under way: the first of a stream is a call that is well, what follows and what is unary is
    not looked at."""
    log = CallLog(lambda socket: socket == "/c", clock=lambda: 1000.0)
    log.begin("id")
    for path, age_s in ((STREAM, 5.1), (STREAM, 10.1), (PATH, 5.1)):
        logged = left(path, 0, answered=True)
        logged.common_properties.response_flags.downstream_remote_reset = False
        logged.common_properties.access_log_type = 5
        logged.common_properties.start_time.FromMilliseconds(round((1000 - age_s) * 1000))
        log.take(logged)
    (seen,) = log.summary("id")
    assert (seen.method, seen.calls, seen.failures) == (STREAM, 1, 0)


def test_quantiles_are_within_a_bucket() -> None:
    """Of 1 to 1000 ms the 99th percentile is 990 ms, within 9 %; nothing has none."""
    seen = Seen()
    assert seen.quantile_s(0.99) == 0
    for milliseconds in range(1, 1001):
        seen.add("0", milliseconds / 1000)
    assert seen.quantile_s(0.99) == pytest.approx(0.990, rel=0.09)
    assert seen.quantile_s(0.5) == pytest.approx(0.5, rel=0.09)


def test_bounds_wait_for_enough_calls_and_look_at_the_candidate_alone() -> None:
    """Below `calls_min` nothing is said; of the stable version never; then errors and the p99 are; how long a stream
    lasts is the caller's choice."""
    bad, slow = Seen(), Seen()
    for i in range(100):
        bad.add("13" if i < 5 else "0", 0.001)
        slow.add("0", 0.1)
    assert by_bounds(Abort(error_percent_max=1), {(PATH, False): bad}) == ""
    assert by_bounds(Abort(error_percent_max=1, calls_min=101), {(PATH, True): bad}) == ""
    assert by_bounds(Abort(), {(PATH, True): bad}) == ""
    said = by_bounds(Abort(error_percent_max=1), {(PATH, True): bad})
    assert said == "5.00 % of 100 calls of ReferenceService/GetInstrument failed, where at most 1 % may"
    assert "where it may be 50 ms" in by_bounds(Abort(latency_p99_ms_max=50), {(PATH, True): slow})
    assert by_bounds(Abort(latency_p99_ms_max=50), {(STREAM, True): slow}) == ""


def calls(chance: random.Random, count: int, *, candidate: bool, errors: float, scale_s: float) -> list[Ended]:
    """Calls with a rate of failures and exponential times."""
    return [
        Ended(PATH, candidate, chance.random() < errors, chance.expovariate(1 / scale_s) + 1e-4) for _ in range(count)
    ]


def analysed(seed: int, ticks: int, *, errors: float, scale_s: float, unary: bool = True) -> Analyst:
    """An analysis after ticks of 5 calls of the candidate beside 95 of stable, which fails 0.1 % and takes 2 ms."""
    chance, now = random.Random(seed), 0.0
    analyst = Analyst(Analysis(errors_absolute=0.02), lambda path: unary, lambda: now)
    for tick in range(ticks):
        now = float(tick)
        assert analyst.due()
        block = calls(chance, 5, candidate=True, errors=errors, scale_s=scale_s)
        analyst.look(block + calls(chance, 95, candidate=False, errors=0.001, scale_s=0.002))
        if analyst.against:
            break
    return analyst


def test_a_candidate_that_fails_calls_is_failed_with_its_numbers() -> None:
    """A tenth of its calls fails: of its errors, and of those of the method, with p-values."""
    analyst = analysed(1, 100, errors=0.1, scale_s=0.002)
    assert "errors" in analyst.against
    assert "limit" in analyst.against
    assert not analyst.may_go_on
    assert any(f.outcome == "FAIL" and f.metric == "errors" for f in analyst.findings())


def test_a_candidate_that_is_slow_is_failed_unless_its_calls_are_streams() -> None:
    """Times that are three times as long fail the latency of unary calls."""
    assert "latency fails" in analysed(2, 200, errors=0.001, scale_s=0.006).against
    assert analysed(2, 50, errors=0.001, scale_s=0.006, unary=False).against == ""


def test_a_method_that_is_slow_is_not_hidden_by_faster_ones() -> None:
    """One call in two hundred, ten times as long, moves no 99th percentile of all calls; its method fails."""
    rare = PATH.replace("GetInstrument", "ListInstruments")
    chance, now = random.Random(6), 0.0
    analyst = Analyst(Analysis(errors_absolute=0.02), lambda path: True, lambda: now)
    for tick in range(400):
        now = float(tick)
        block = [
            Ended(PATH, candidate, False, chance.uniform(0.001, 0.2)) for candidate in (True, False) for _ in range(200)
        ]
        slow = [Ended(rare, candidate, False, 0.02 if candidate else 0.002) for candidate in (True, False)]
        analyst.look([*block, *slow, *slow])
        if analyst.against:
            break
    assert "latency of ReferenceService/ListInstruments fails" in analyst.against


def test_what_is_not_shown_yet_says_how_many_calls_it_takes() -> None:
    """After a few calls an equal candidate has neither passed nor failed, and a step waits for it."""
    analyst = analysed(3, 3, errors=0.001, scale_s=0.002)
    assert (analyst.against, analyst.may_go_on) == ("", False)
    waited = [f for f in analyst.findings() if f.outcome == "NOT_ENOUGH_DATA"]
    assert any(f.calls_needed > 0 and f"about {f.calls_needed} more calls needed" in f.explanation for f in waited)


def test_an_equal_candidate_passes() -> None:
    """With calls enough it is within both tolerances, and a step may end."""
    analyst = analysed(4, 400, errors=0.001, scale_s=0.002)
    assert analyst.against == ""
    assert analyst.may_go_on, analyst.findings()


def test_counts_and_tests_go_on_after_a_restart() -> None:
    """What was kept is what goes on: counts by code and time, and verdicts; of another analysis it is refused."""
    log = CallLog(lambda socket: socket == "/c")
    log.begin("id")
    for number in range(20):
        log.take(entry("/c" if number % 2 else "/s", "13" if number == 7 else "0", 2 + number))
    again = CallLog(lambda socket: socket == "/c")
    again.begin("id")
    again.restore("id", json.loads(json.dumps(log.state("id"))))
    assert again.summary("id") == log.summary("id")
    again.take(entry("/c", "0", 2))
    assert sum(seen.calls for seen in again.summary("id")) == 21

    analyst = analysed(5, 30, errors=0.001, scale_s=0.002)
    restarted = Analyst(Analysis(errors_absolute=0.02), lambda path: True)
    restarted.restore(json.loads(json.dumps(analyst.state())))
    assert restarted.findings() == analyst.findings()
    assert (restarted.against, restarted.may_go_on) == (analyst.against, analyst.may_go_on)
    with pytest.raises(KeyError):
        restarted.restore({"tests": {"colour": {"": {}}}, "alarms": []})


async def test_what_was_kept_is_read_again_and_let_go_of(tmp_path: Path) -> None:
    """One file a release; of another format, or unreadable, it is nothing and said so."""
    told: list[str] = []

    class Log:
        def error(self, what: str, **_: object) -> None:
            """Told."""
            told.append(what)

    kept = KeptEvidence(tmp_path / "evidence", Log())
    assert kept.load("id") == {}
    await kept.save("id", {"calls": []})
    await kept.save("over", {"calls": []})
    assert kept.load("id")["calls"] == []
    kept.only(["id"])
    assert [path.name for path in (tmp_path / "evidence").iterdir()] == ["id.json"]
    assert told == []
    (tmp_path / "evidence" / "id.json").write_text('{"format": 0}')
    assert kept.load("id") == {}
    assert len(told) == 1


def test_who_watches_is_told_what_ended_since() -> None:
    """Each watcher by himself; of all methods together, with failures and times of that while alone."""
    log, watcher = CallLog(lambda socket: socket == "/c"), Windows(["reference"])
    log.begin("id")
    log.take(entry("/s", "0", 100))
    stable, candidate = watcher.next(log.seen("id"))
    assert (stable.candidate, stable.calls, candidate.calls) == (False, 1, 0)
    log.take(entry("/s", "0", 2))
    log.take(entry("/c", "13", 4))
    log.take(entry("/c", "1", 4))
    stable, candidate = watcher.next(log.seen("id"))
    assert (stable.calls, candidate.calls, candidate.failures) == (1, 1, 1)
    assert stable.latency_p99.ToMicroseconds() == pytest.approx(2000, rel=0.09)
    assert [w.calls for w in watcher.next(log.seen("id"))] == [0, 0]
    assert [w.calls for w in Windows(["reference"]).next(log.seen("id"))] == [2, 1]
    of_two = Windows(["pricing", "reference"]).next(log.seen("id"))
    assert [(w.service, w.candidate, w.calls) for w in of_two] == [
        ("pricing", False, 0),
        ("pricing", True, 0),
        ("reference", False, 2),
        ("reference", True, 1),
    ]
