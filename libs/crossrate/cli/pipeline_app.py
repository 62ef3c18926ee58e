"""`crossrate pipeline`: files of quotes into the history."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

pipeline_app = typer.Typer(
    help="""Load files of quotes into the history: declared jobs, each file whole or not at all, once.

\b
Begin:
  crossrate pipeline shapes                 the vendors' shapes that are known
  crossrate pipeline run job.toml --check   is the job right?
  crossrate pipeline run job.toml --dry-run read and judge the files, load nothing
  crossrate pipeline run job.toml           load them; the same again changes nothing
  crossrate pipeline report JOB             what the quotes are like, and why a file was quarantined
  crossrate pipeline rejected JOB           lines that are no quotes, with their reasons

\b
A job is a file like this; services/pipeline/README.md tells every field:
  name = "histdata-2014"
  source = {kind = "files", paths = ["quotes/*.zip"]}   # relative to the job's file
  shape = "histdata_tick"
  target = {dataset = "histdata-2014", venue = "HISTDATA"}""",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Machine output: one JSON document, or JSON lines.")]
JobId = Annotated[str, typer.Argument(help="The job's id, or `last` for the newest.", metavar="JOB")]


@pipeline_app.command()
def run(
    file: Annotated[Path, typer.Argument(help="The job, .toml or .json.", metavar="FILE", exists=True, dir_okay=False)],
    check: Annotated[bool, typer.Option("--check", help="Only check the job's fields.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and judge every file, load nothing.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for the end; print the job's id.")] = False,
    as_json: Json = False,
) -> None:
    """Carry a job out, with a bar on standard error; exit 1 unless every file is loaded or had been before.

    Relative paths count from the job's file. Ctrl-C leaves the job running: `crossrate pipeline cancel last` ends it. A
    job outlives the death of its instance and goes on after the last file that was done.
    """
    from crossrate.cli import pipeline_jobs

    raise typer.Exit(pipeline_jobs.run(file, check=check, dry_run=dry_run, detach=detach, as_json=as_json))


@pipeline_app.command()
def status(
    job: Annotated[str, typer.Argument(help="A job with its files; all jobs if left out.", metavar="JOB")] = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=1000, help="How many jobs or files.")] = 20,
    as_json: Json = False,
) -> None:
    """Show jobs, the newest first, or one job with what became of its files.

    crossrate pipeline status last
    """
    from crossrate.cli import pipeline_jobs

    pipeline_jobs.status(job, lines, as_json=as_json)


@pipeline_app.command()
def report(job: JobId, as_json: Json = False) -> None:
    """Show what the quotes of a job are like: rows, times, gaps, crossed, outliers, and which threshold is broken."""
    from crossrate.cli import pipeline_jobs

    pipeline_jobs.report(job, as_json=as_json)


@pipeline_app.command()
def rejected(
    job: JobId,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=1000, help="How many lines.")] = 50,
    as_json: Json = False,
) -> None:
    """Show lines that are no quotes: file, number, text, reason."""
    from crossrate.cli import pipeline_jobs

    pipeline_jobs.rejected(job, lines, as_json=as_json)


@pipeline_app.command()
def cancel(job: JobId, as_json: Json = False) -> None:
    """End a job. The file under way leaves nothing in the history; those before it stay."""
    from crossrate.cli import pipeline_jobs

    pipeline_jobs.cancel(job, as_json=as_json)


@pipeline_app.command()
def datasets(as_json: Json = False) -> None:
    """Show what was loaded: rows, instruments, times, content digest, job."""
    from crossrate.cli import pipeline_jobs

    pipeline_jobs.datasets(as_json=as_json)


@pipeline_app.command()
def delete(
    dataset: Annotated[str, typer.Argument(help="The dataset's name.", metavar="DATASET")],
    comment: Annotated[str, typer.Option("--comment", "-m", help="Why; kept with the deletion.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many rows it has.")] = False,
    as_json: Json = False,
) -> None:
    """Take all rows of a dataset out of the history; its files may then be loaded again."""
    from crossrate.cli import pipeline_jobs

    pipeline_jobs.delete(dataset, comment, dry_run=dry_run, as_json=as_json)


@pipeline_app.command()
def shapes(as_json: Json = False) -> None:
    """List the shapes of vendors' files that a job can name."""
    from crossrate.cli import pipeline_jobs

    pipeline_jobs.shapes(as_json=as_json)
