"""`crossrate release report` and `verify`: a release as a signed file, and the check of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crossrate.api.control.v1 import release_service_pb2 as pb
from crossrate.cli import show
from crossrate.cli.releases import ask, percent
from crossrate.cli.show import CommandError
from crossrate.runtime.place import place
from crossrate.transparency.note import NoteError, Verifier
from crossrate.transparency.release_report import REPORT_BYTES_MAX, ReportError
from crossrate.transparency.release_report import verify as verified

KEY = Path("control") / "release-report.pub"
"""Where control leaves its public key, in the state folder."""


def export(name: str, file: Path | None) -> None:
    """The report into a file, or onto standard output."""
    answer = ask(lambda stub: stub.GetReleaseReport(pb.GetReleaseReportRequest(release=name)))
    if file is None:
        print(answer.file, end="")
        return
    draft = file.with_name(f"{file.name}.new")
    try:
        draft.write_text(answer.file)
        draft.replace(file)
    except OSError as error:
        raise CommandError(f"--output: {file} cannot be written: {error.strerror}", "give another file") from None
    show.console().print(f"{file}, signed by {answer.key}", markup=False)


def _key(given: str) -> Verifier:
    path = Path(given) if given else place().state / KEY
    if not given and not path.is_file():
        raise CommandError(
            f"there is no public key of this mesh: {path}",
            "`crossrate release report` makes it; for a report of another mesh give --key",
        )
    try:
        return Verifier.parse(path.read_text() if path.is_file() else given)
    except (OSError, NoteError) as error:
        remedy = f"give --key; the mesh that signed has it in {KEY} of its state folder"
        raise CommandError(f"no public key: {error}", remedy) from None


def verify(file: Path, key: str, *, as_json: bool) -> None:
    """Says whether a report is as its key signed it, and what is in it."""
    verifier = _key(key)
    try:
        if file.stat().st_size > REPORT_BYTES_MAX:
            raise ReportError(f"more than {REPORT_BYTES_MAX} bytes")
        report = verified(file.read_text(), [verifier])
    except (OSError, UnicodeDecodeError, ReportError) as error:
        raise CommandError(f"{file} does not stand: {error}", "ask for it anew where it comes from") from None
    if as_json:
        show.document(dict(report))
        return
    show.console().print(f"signed by {verifier.name}+{verifier.id.hex()}", markup=False)
    title = (
        f"{report['name']}: {report['service']} {report['version']}, {report['phase']}, as of {report['report_time']}"
    )
    show.console().print(title, markup=False)
    rows = [_row(decision) for decision in report["decisions"]]
    show.table(("time", "decision", "weight ", "by", "stable ", "candidate ", "why"), rows)
    for decision in report["decisions"][-1:]:
        for sentence in decision["evidence"]:
            show.console().print(sentence, markup=False)


def _row(decision: dict[str, Any]) -> tuple[Any, ...]:
    tally = decision["tally"]
    stable = f"{tally['stable']}, {tally['stable_failures']} failed"
    candidate = f"{tally['candidate']}, {tally['candidate_failures']} failed"
    time = decision["time"].replace("T", " ")[:23]
    return time, decision["kind"], percent(decision["weight"]), decision["by"], stable, candidate, decision["cause"]
