"""`crossrate release`: two versions of a service side by side, and calls moved between them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossrate.cli.options import Comment, DryRun, Json

release_app = typer.Typer(
    help="""Releases: a candidate beside the stable version gets calls step by step, or loses them at once.

\b
  crossrate release start reference-2              what mesh/releases/reference-2.toml specifies
  crossrate release watch reference-2              weights, health and calls until it is over
  crossrate release promote reference-2            on to the next step; from the last one it becomes the service
  crossrate release abort reference-2 -m "why"     all calls back to the stable version
  crossrate release explain reference-2            every decision with its cause, and what had been seen by then
  crossrate release shadow reference-2             which fields of its answers differ from the stable version's
  crossrate release report reference-2 -o file     all of that, signed; `crossrate release verify file` checks it
A release is named by its specification, or by its id.""",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="Name of its specification, or its id.", metavar="RELEASE")]


@release_app.command()
def start(
    name: Annotated[str, typer.Argument(help="A specification in mesh/releases, without .toml.", metavar="NAME")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Start the candidate beside the stable version, compare their contracts, then move calls step by step.

    With strategy = "rolling" a step is an instance of the service: a new one starts and has its share, an old one ends.
    """
    from crossrate.cli import releases

    releases.start(name, dry_run=dry_run, as_json=as_json)


@release_app.command()
def status(
    name: Annotated[str, typer.Argument(help="Only this one.", metavar="RELEASE")] = "", as_json: Json = False
) -> None:
    """Show the releases that are under way: phase, step, weight, health and cause."""
    from crossrate.cli import releases

    releases.status(name, as_json=as_json)


@release_app.command()
def watch(name: Name, as_json: Json = False) -> None:
    """Follow a release until it is over: shares, verdicts, calls, failures, times. Exits with 1 if it was aborted."""
    from crossrate.cli import release_watch

    release_watch.watch(name, as_json=as_json)


@release_app.command()
def promote(name: Name, comment: Comment = "", dry_run: DryRun = False, as_json: Json = False) -> None:
    """Go on to the next step now; from the last one, make the candidate the service."""
    from crossrate.cli import releases

    releases.say("Promote", name, comment, dry_run=dry_run, as_json=as_json)


@release_app.command()
def pause(name: Name, comment: Comment = "", dry_run: DryRun = False, as_json: Json = False) -> None:
    """Stay at this step. The rules that abort go on."""
    from crossrate.cli import releases

    releases.say("Pause", name, comment, dry_run=dry_run, as_json=as_json)


@release_app.command()
def resume(name: Name, comment: Comment = "", dry_run: DryRun = False, as_json: Json = False) -> None:
    """Go on by the clock."""
    from crossrate.cli import releases

    releases.say("Resume", name, comment, dry_run=dry_run, as_json=as_json)


@release_app.command()
def abort(name: Name, comment: Comment = "", dry_run: DryRun = False, as_json: Json = False) -> None:
    """Send all calls to the stable version; when it answers, every proxy does."""
    from crossrate.cli import releases

    releases.say("Abort", name, comment, dry_run=dry_run, as_json=as_json)


@release_app.command()
def explain(
    name: Name,
    whole: Annotated[bool, typer.Option("--all", "-a", help="Also every verdict, and calls by method.")] = False,
    as_json: Json = False,
) -> None:
    """Show every decision with who took it and why, the evidence that had come since the one before, and what has come
    since the last."""
    from crossrate.cli import release_explain

    release_explain.explain(name, whole=whole, as_json=as_json)


@release_app.command()
def shadow(name: Name, as_json: Json = False) -> None:
    """Show which fields of a candidate's answers differ from the stable version's, how often, and examples."""
    from crossrate.cli import releases

    releases.shadow(name, as_json=as_json)


@release_app.command()
def history(
    service: Annotated[str, typer.Option("--service", "-s", help="Only of this service.")] = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=100, help="Most releases.")] = 20,
    as_json: Json = False,
) -> None:
    """Show releases, newest first."""
    from crossrate.cli import releases

    releases.history(service, lines, as_json=as_json)


@release_app.command()
def report(
    name: Name,
    file: Annotated[Path | None, typer.Option("--output", "-o", help="Into a file.", metavar="FILE")] = None,
) -> None:
    """Export a release: specification, decisions with causes and evidence, weights, calls, verdicts; signed."""
    from crossrate.cli import release_reports

    release_reports.export(name, file)


@release_app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A report.", metavar="FILE", exists=True, dir_okay=False)],
    key: Annotated[
        str,
        typer.Option(
            "--key", "-k", help="The public key: a file with it, or itself; else this mesh's own.", metavar="KEY"
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Check a report with the public key alone, and show it. Exits with 1 if it is not as it was signed."""
    from crossrate.cli import release_reports

    release_reports.verify(file, key, as_json=as_json)
