"""Errors as the command line shows them, and files that cannot be written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from crossrate.api.control.v1 import release_service_pb2 as pb
from crossrate.cli import reach, release_reports, releases, show
from crossrate.cli.show import CommandError
from crossrate.rpc.call_error import CallError
from crossrate.runtime.place import Place


def missing(resource: str) -> CallError:
    """A service's answer that there is no such thing."""
    status = status_pb2.Status(code=grpc.StatusCode.NOT_FOUND.value[0], message="no")
    info = error_details_pb2.ErrorInfo(reason="NOT_FOUND", domain="crossrate", metadata={"resource": resource})
    status.details.add().Pack(info)
    return CallError.of_status(status, "/crossrate.api.control.v1.ReleaseService/GetRelease")


@pytest.mark.parametrize(
    ("resource", "remedy"),
    [
        ("release", "`crossrate release history`"),
        ("fault", "`crossrate fault list`"),
        ("service", "`crossrate status`"),
        ("instrument", "`crossrate call ListInstruments`"),
    ],
)
def test_what_is_not_there_is_looked_for_where_its_kind_is_listed(resource: str, remedy: str) -> None:
    """Nobody is sent to the instruments who has looked for a release."""
    assert remedy in show.describe(missing(resource))["remedy"]


def test_a_note_keeps_what_stands_in_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    """A table of a specification, `[analysis]`, is no markup."""
    show.aside.cache_clear()
    show.note("`fill_calls_per_s` in [analysis] has recorded calls repeated")
    show.aside.cache_clear()
    assert "in [analysis] has" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_an_error_with_its_option(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And no traceback."""

    def answered(_: Callable[..., Any]) -> pb.GetReleaseReportResponse:
        return pb.GetReleaseReportResponse(file="report", key="key")

    monkeypatch.setattr(release_reports, "ask", answered)
    with pytest.raises(CommandError, match=r"--output: .* cannot be written: No such file"):
        release_reports.export("two", tmp_path / "nowhere" / "file")


def test_a_dry_run_says_that_blue_green_waits_for_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A step that lasts no time of its own is not told in thousandths of a second."""
    answer = pb.StartReleaseResponse()
    ready, whole = answer.release.steps.add(manual_gate=True), answer.release.steps.add(weight_bp=10_000)
    ready.duration.FromMilliseconds(1)
    whole.duration.FromSeconds(300)
    monkeypatch.setattr(releases, "ask", lambda _: answer)
    show.console.cache_clear()
    releases.start("two", dry_run=True, as_json=False)
    show.console.cache_clear()
    assert capsys.readouterr().out == "two could be started: 0 % until a word, 100 % for 300 s; nothing was changed\n"


def test_a_control_plane_that_is_being_restarted_is_said_to_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody has asked for an instance called control-1, and another is no remedy."""
    where = Place(tmp_path / "state", tmp_path / "run").make()
    where.registrations.mkdir(parents=True, exist_ok=True)
    (where.registrations / "reference-1.json").touch()
    monkeypatch.setattr(reach, "place", lambda: where)
    with pytest.raises(CommandError, match="control plane does not serve now") as caught:
        reach.control()
    assert "`crossrate status`" in caught.value.remedy
