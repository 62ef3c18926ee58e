"""What `crossrate release` does: control's ReleaseService, asked as the local operator."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from crossrate.api.control.v1 import release_pb2, shadow_pb2
from crossrate.api.control.v1 import release_service_pb2 as pb
from crossrate.api.control.v1.release_service_pb2_grpc import ReleaseServiceStub
from crossrate.cli import reach, show
from crossrate.cli.desk import moment, word
from crossrate.cli.requests import as_dict

T = TypeVar("T")
OVER = ("PROMOTED", "ABORTED", "COMPLETED")


def ask(question: Callable[[ReleaseServiceStub], Awaitable[T]]) -> T:
    """Asks control one thing."""
    return reach.ask(ReleaseServiceStub, question)


def percent(weight_bp: int) -> str:
    """A share in words."""
    return f"{weight_bp / 100:g} %"


def instances(message: Any) -> str:
    """Which instances of a rolling release are new, in words; empty of any other."""
    if not message.HasField("instances"):
        return ""
    seen = message.instances
    return f"{seen.new_version} new, {seen.old_version} old of {seen.wanted}"


def _phase(release: release_pb2.Release) -> Any:
    text = word(release, "phase")
    return show.mark(
        f"{text.lower()}{', paused' if release.paused else ''}",
        True if text in ("PROMOTED", "COMPLETED") else False if text in ("ABORTING", "ABORTED") else None,
    )


def row(release: release_pb2.Release) -> tuple[Any, ...]:
    """The cells of COLUMNS."""
    step = f"{release.step + 1}/{len(release.steps)}" if release.step >= 0 else ""
    health = instances(release) or f"{release.candidates_serving}/{release.candidates_wanted}"
    cause = release.cause.splitlines()[0] if release.cause else ""
    services = ", ".join(each.service for each in _released(release))
    versions = ", ".join(each.version for each in _released(release))
    return release.name, services, versions, _phase(release), step, percent(release.weight_bp), health, cause


def told(release: release_pb2.Release) -> str:
    """Services and versions in words."""
    return ", ".join(f"{each.service} {each.version}" for each in _released(release))


def _released(release: release_pb2.Release) -> list[Any]:
    # A control plane of before knows releases of one service alone.
    return list(release.services) or [release]


COLUMNS = ("release", "service", "version", "phase", "step ", "weight ", "serving ", "cause")


def start(name: str, *, dry_run: bool, as_json: bool) -> None:
    """Starts a release."""
    request = pb.StartReleaseRequest(request_id=str(uuid.uuid4()), name=name, validate_only=dry_run)
    release = ask(lambda stub: stub.StartRelease(request)).release
    if as_json:
        show.document(as_dict(release))
        return
    if dry_run:
        steps = ", ".join(f"{_share(s, release)} {_lasts(s)}" for s in release.steps)
        show.console().print(f"{name} could be started: {steps}; nothing was changed", markup=False)
        return
    show.console().print(release.release_id, release.cause, markup=False)
    show.note(f"`crossrate release watch {name}` follows it")


def _lasts(step: release_pb2.ReleaseStep) -> str:
    duration_s = step.duration.ToMilliseconds() / 1000
    if step.manual_gate and duration_s < 1:
        return "until a word"
    return f"for {duration_s:g} s" + (
        " and a word" if step.manual_gate else f", on at {step.schedule}" if step.schedule else ""
    )


def _share(step: release_pb2.ReleaseStep, release: release_pb2.Release) -> str:
    if step.shadow:
        return "a shadow"
    return f"{step.instances} of {release.instances.wanted} instances" if step.instances else percent(step.weight_bp)


def get(name: str) -> release_pb2.Release:
    """A release with everything."""
    return ask(lambda stub: stub.GetRelease(pb.GetReleaseRequest(release=name))).release


def status(name: str, *, as_json: bool) -> None:
    """The releases under way, or one."""
    if name:
        found = [get(name)]
    else:
        every = ask(lambda stub: stub.ListReleases(pb.ListReleasesRequest(page_size=100))).releases
        found = [r for r in every if word(r, "phase") not in OVER]
    if as_json:
        show.document([as_dict(r) for r in found])
    elif found:
        show.table(COLUMNS, [row(r) for r in found])
    else:
        show.console().print("no release is under way")
        show.note("`crossrate release history` shows those that are over")


def weight(decision: release_pb2.ReleaseDecision) -> str:
    """A decision's share, and the instances of a rolling release."""
    replaced = instances(decision)
    return f"{percent(decision.weight_bp)} ({replaced})" if replaced else percent(decision.weight_bp)


def tell(decision: release_pb2.ReleaseDecision) -> None:
    """Prints a decision in one line."""
    kind = word(decision, "kind").lower()
    good = True if kind in ("promoted", "completed") else False if kind in ("aborting", "aborted") else None
    show.console().print(moment(decision.time), show.mark(kind, good), weight(decision), decision.cause, markup=False)


def say(verb: str, name: str, comment: str, *, dry_run: bool, as_json: bool) -> None:
    """Promotes, pauses, resumes or aborts."""
    asked = getattr(pb, f"{verb}ReleaseRequest")(
        request_id=str(uuid.uuid4()), release=name, comment=comment, validate_only=dry_run
    )
    release = ask(lambda stub: getattr(stub, f"{verb}Release")(asked)).release
    if as_json:
        show.document(as_dict(release))
        return
    show.table(COLUMNS, [row(release)])
    if dry_run:
        show.note("nothing was changed")


def shadow(name: str, *, as_json: bool) -> None:
    """What the shadow has found."""
    report = ask(lambda stub: stub.GetShadowReport(pb.GetShadowReportRequest(release=name))).report
    if as_json:
        show.document(as_dict(report))
        return
    outcome = word(report, "outcome").lower().replace("_", " ")
    show.console().print(show.mark(outcome, _good(outcome)), report.explanation, markup=False)
    rows = [
        (
            method.method.rpartition("/")[2],
            word(method, "manner").lower().replace("_", " "),
            method.calls,
            method.replayed,
            method.skipped,
            show.mark(said := word(method, "outcome").lower().replace("_", " "), _good(said)),
        )
        for method in report.methods
    ]
    show.table(("method", "repeated", "compared ", "replayed ", "skipped ", "outcome"), rows)
    for method in report.methods:
        for field in method.fields:
            _tell_field(method.method.rpartition("/")[2], field)
    if report.dropped:
        show.note(f"{report.dropped} calls more came than are repeated at once; they were left out")


def _good(outcome: str) -> bool | None:
    return {"pass": True, "fail": False}.get(outcome)


def _tell_field(method: str, field: shadow_pb2.ShadowField) -> None:
    outcome = word(field, "outcome").lower().replace("_", " ")
    if field.examples and not field.differing:
        show.console().print(
            show.mark(outcome, _good(outcome)),
            f"{method} {field.field} is {field.examples[0].explanation}",
            markup=False,
        )
        return
    noise = f", of stable with itself in {field.noise_differing} of {field.noise_calls}" if field.noise_calls else ""
    largest = f"; the largest by {field.largest_relative:.3g} of it" if field.largest_relative else ""
    show.console().print(
        show.mark(outcome, _good(outcome)),
        f"{method} {field.field} differs in {field.differing} of {field.calls}{noise}{largest}",
        markup=False,
    )
    for example in field.examples:
        show.console().print(f"    {example.explanation} (call {example.request_id})", markup=False)


def history(service: str, lines: int, *, as_json: bool) -> None:
    """Releases, newest first."""
    found = ask(lambda stub: stub.ListReleases(pb.ListReleasesRequest(service=service, page_size=lines))).releases
    if as_json:
        show.document([as_dict(r) for r in found])
    elif found:
        show.table(("started", *COLUMNS), [(moment(r.create_time), *row(r)) for r in found])
    else:
        show.console().print("there was no release")
