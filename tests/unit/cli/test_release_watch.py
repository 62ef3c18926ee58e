"""What `crossrate release watch` shows on a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from crossrate.api.control.v1 import release_pb2
from crossrate.api.control.v1 import release_service_pb2 as pb
from crossrate.cli.release_watch import BARS, Board, sparkline


def test_a_sparkline_is_from_zero_to_the_largest() -> None:
    """What is a little above zero is seen, and no calls are the lowest bar."""
    assert sparkline([]) == ""
    assert sparkline([0, 0]) == BARS[0] * 2
    assert sparkline([0, 0.001, 4, 8]) == f"{BARS[0]}{BARS[1]}{BARS[4]}{BARS[7]}"


def message(calls: int, failures: int, *services: str) -> pb.WatchReleaseResponse:
    """A second of a canary at a twentieth, of one service or of some."""
    told = pb.WatchReleaseResponse()
    told.release.name, told.release.service, told.release.version = "reference-2", "reference", "2.0.0"
    told.release.phase, told.release.weight_bp = release_pb2.RELEASE_PHASE_STEPPING, 500
    told.release.candidates_serving = told.release.candidates_wanted = 1
    told.release.steps.add()
    verdict = told.release.verdicts.add(metric="errors", explanation="errors is undecided: about 40 more calls needed")
    verdict.outcome = release_pb2.RELEASE_OUTCOME_NOT_ENOUGH_DATA
    for service in services or ("reference",):
        told.release.services.add(service=service, version="2.0.0")
        for candidate in (False, True):
            window = told.windows.add(service=service, candidate=candidate, calls=calls)
            window.failures = failures if candidate else 0
            window.latency_p99.FromMicroseconds(2500)
    return told


def test_the_board_shows_both_versions_and_what_is_waited_for() -> None:
    """Shares, rates, and the verdict's own words; what ended before anybody watched is no second of its own."""
    board = Board()
    board.take(message(10_000, 5_000))
    board.take(message(80, 0))
    board.take(message(40, 2))
    out = io.StringIO()
    Console(file=out, width=160).print(board)
    head, _, stable, candidate, verdict = out.getvalue().rstrip().splitlines()
    assert "reference-2: reference 2.0.0, stepping, step 1 of 1; 1 of 1 candidates serve" in head
    assert ("95 %" in stable, "5 %" in candidate) == (True, True)
    assert f"{BARS[7]}{BARS[4]}" in stable
    assert ("0.00 %" in stable, "5.00 %" in candidate, "2.5 ms" in candidate) == (True, True, True)
    assert "about 40 more calls needed" in verdict


def test_the_board_shows_each_service_of_several() -> None:
    """In the order of the release, with both versions of each."""
    board = Board()
    board.take(message(0, 0, "pricing", "marketdata"))
    board.take(message(80, 0, "pricing", "marketdata"))
    out = io.StringIO()
    Console(file=out, width=160).print(board)
    head, _, *rows, _ = out.getvalue().rstrip().splitlines()
    assert "reference-2: pricing 2.0.0, marketdata 2.0.0, stepping" in head
    named = ["pricing stable", "pricing candidate", "marketdata stable", "marketdata candidate"]
    assert [row.split("  ")[0] for row in rows] == named


def test_the_board_says_which_instances_of_a_rolling_release_are_new() -> None:
    """Instead of how many candidates serve."""
    board, told = Board(), message(0, 0)
    told.release.instances.wanted, told.release.instances.new_version, told.release.instances.old_version = 3, 1, 2
    board.take(told)
    out = io.StringIO()
    Console(file=out, width=160).print(board)
    assert "step 1 of 1; 1 new, 2 old of 3 take calls" in out.getvalue().splitlines()[0]
