"""Reports of releases: signed, and checked with the public key alone."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from crossrate.transparency.note import Signer, Verifier
from crossrate.transparency.release_report import FORMAT, ReportError, verify
from services.control.releases.domain import begun
from services.control.releases.report import Reports
from services.control.releases.specification import read
from tests.unit.control.test_release_domain import NOW, release

LATER = NOW + dt.timedelta(hours=1)


def test_a_report_holds_with_the_public_key_alone(tmp_path: Path) -> None:
    """It has the specification and every decision; the key outlives control, and its public half lies beside it."""
    file = Reports(tmp_path, "crossrate").file(release(), LATER)
    again = Reports(tmp_path, "crossrate")
    key = Verifier.parse((tmp_path / "release-report.pub").read_text())
    assert again.signer.verifier == key
    assert (tmp_path / "release-report.key").stat().st_mode & 0o077 == 0
    report = verify(file, [key])
    assert (report["format"], report["name"], report["report_time"]) == (FORMAT, "canary", LATER.isoformat())
    assert report["specification"]["steps"][1]["weight_percent"] == 50
    assert [decision["kind"] for decision in report["decisions"]] == ["started"]
    assert again.file(release(), LATER) == file


@pytest.mark.parametrize("change", ["cause", "weight", "signature", "format", "key", "nothing"])
def test_a_report_that_was_changed_does_not_stand(tmp_path: Path, change: str) -> None:
    """Whatever is changed: a cause, a number, the signature; nor does one of another key, or what is no report."""
    reports = Reports(tmp_path, "crossrate")
    document, keys = json.loads(reports.file(release(), LATER)), [reports.signer.verifier]
    if change == "cause":
        document["report"]["decisions"][0]["cause"] += "!"
    elif change == "weight":
        document["report"]["decisions"][0]["weight"] = 1
    elif change == "signature":
        line = document["signatures"][0]
        document["signatures"] = [line.replace(line[-10], "A" if line[-10] != "A" else "B")]
    elif change == "format":
        document["report"]["format"] = "another/1"
    elif change == "key":
        keys = [Signer.generate("crossrate/control").verifier]
    if change == "nothing":
        assert verify(json.dumps(document, indent=4), keys)["name"] == "canary"
        return
    with pytest.raises(ReportError):
        verify(json.dumps(document), keys)
    with pytest.raises(ReportError):
        verify("{}", keys)


def test_a_release_of_any_specification_has_a_report(tmp_path: Path) -> None:
    """Numbers of all sizes have one form."""
    document = {
        "service": "reference",
        "candidate": {"version": "2"},
        "steps": [{"weight_percent": 0.01, "duration": "720h"}],
        "analysis": {"errors_absolute": 1e-7, "alpha": 1e-12},
    }
    made = begun(_release(document), "local")
    reports = Reports(tmp_path, "crossrate")
    report = verify(reports.file(made, LATER), [reports.signer.verifier])
    assert report["specification"]["analysis"]["errors_absolute"] == 1e-7


def _release(document):
    return type(release())("id", "small", read(document, ["reference"], []), NOW)
