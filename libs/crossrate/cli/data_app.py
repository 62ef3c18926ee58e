"""`crossrate data`: files, buckets and streams into the history; what is there; and back out as a stream."""

from __future__ import annotations

from typing import Annotated

import typer

from crossrate.cli.options import Comment, Json

data_app = typer.Typer(
    help="""Bring quotes and bars into the history, see what is there, and play it back.

\b
Begin:
  crossrate data shapes                             the vendors' shapes that are known
  crossrate data import EURUSD.csv --venue LMAX     a file, a folder or a URL
  crossrate data import job.yaml --check            a declared job: is it right?
  crossrate data import job.yaml --dry-run          read and judge the files, load nothing
  crossrate data import job.yaml                    load them; the same again changes nothing
  crossrate data list                               datasets; runs with --runs
  crossrate data show DATASET                       where it comes from, what is in it
  crossrate data report DATASET                     what its rows are like
  crossrate data replay DATASET --speed 60          its quotes as they came, a minute a second

\b
A job is a file in YAML, TOML or JSON; services/pipeline/README.md tells every field:
  name: histdata-2014
  source: {kind: files, paths: [quotes/*.zip]}      # relative to the job's file
  shape: histdata_tick
  target: {dataset: histdata-2014, venue: HISTDATA}""",
    no_args_is_help=True,
    rich_markup_mode=None,
)

RunId = Annotated[str, typer.Argument(help="The run's id, or `last` for the newest.", metavar="RUN")]
DatasetOrRun = Annotated[
    str, typer.Argument(help="A dataset's name, a run's id, or `last` for the newest run.", metavar="DATASET|RUN")
]
Lines = Annotated[int, typer.Option("--lines", "-n", min=1, max=10_000, help="How many of them.")]


@data_app.command("import")
def import_(
    what: Annotated[
        list[str], typer.Argument(help="A job (.yaml, .toml, .json), or files, folders or URLs.", metavar="WHAT…")
    ],
    venue: Annotated[str, typer.Option(help="Whose rows they are; needed without a job.")] = "",
    dataset: Annotated[str, typer.Option(help="The name to take them out by; by default that of the first file.")] = "",
    shape: Annotated[str, typer.Option(help="How they are written: `crossrate data shapes`.")] = "generic",
    instrument: Annotated[str, typer.Option(help="What all are of, as EUR/USD; by default their names say it.")] = "",
    clock: Annotated[str, typer.Option(help="The venue's clock, if not the shape's: UTC-05:00, Europe/Athens.")] = "",
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Also the folders in folders.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only check the job's fields.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and judge every file, load nothing.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for the end; print the run's id.")] = False,
    as_json: Json = False,
) -> None:
    """Load a job, or files, folders and URLs, with a bar on standard error.

    Exit 1 unless every file is loaded or had been before. Relative paths of a job count from its file. Ctrl-C leaves
    the run going: `crossrate data cancel last` ends it. A run outlives its instance's death, and goes on where it was.
    """
    from crossrate.cli import data_import, data_jobs

    said = data_import.Said(venue, dataset, shape, instrument, clock, recursive)
    document = data_import.job_of(what, said)
    raise typer.Exit(data_jobs.run(document, check=check, dry_run=dry_run, detach=detach, as_json=as_json))


@data_app.command("list")
def list_(
    runs: Annotated[bool, typer.Option("--runs", help="Runs of jobs, the newest first, instead of datasets.")] = False,
    lines: Lines = 1000,
    as_json: Json = False,
) -> None:
    """List the datasets: rows, instruments, times, content digest; or the runs that made them.

    crossrate data list --runs -n 20
    """
    from crossrate.cli import data_jobs, data_show

    if runs:
        data_jobs.runs(lines, as_json=as_json)
    else:
        data_show.datasets(lines, as_json=as_json)


@data_app.command()
def show(
    name: DatasetOrRun,
    rows: Annotated[int, typer.Option(min=0, max=100, help="How many of the first and of the last rows.")] = 3,
    lines: Lines = 20,
    as_json: Json = False,
) -> None:
    """Show where a dataset comes from and what is in it, or what became of the files of a run.

    crossrate data show histdata-2014
    crossrate data show last
    """
    from crossrate.cli import data_jobs, data_show

    if data_jobs.is_run(name):
        data_jobs.show_run(name, lines, as_json=as_json)
    else:
        data_show.dataset(name, rows, lines, as_json=as_json)


@data_app.command()
def report(name: DatasetOrRun, lines: Lines = 1000, as_json: Json = False) -> None:
    """Show what the rows are like: times, gaps, crossed, outliers, which threshold is broken, and bars against quotes.

    A dataset's report is of what is loaded; a run's also of what was quarantined.
    """
    from crossrate.cli import data_jobs, data_show

    if data_jobs.is_run(name):
        data_show.report("GetQualityReport", lines, as_json=as_json, job_id=data_jobs.run_id(name))
    else:
        data_show.report("GetDatasetReport", lines, as_json=as_json, dataset=name)


@data_app.command()
def replay(
    dataset: Annotated[str, typer.Argument(help="A dataset of quotes.", metavar="DATASET")],
    instrument: Annotated[list[str] | None, typer.Option("--instrument", "-i", help="Only these, as EUR/USD.")] = None,
    speed: Annotated[float, typer.Option(min=0, max=1e6, help="Market seconds a second; 0: as fast as it goes.")] = 1.0,
    start: Annotated[str, typer.Option("--from", help="Least venue time, UTC, as 2014-05-05T10:00.")] = "",
    end: Annotated[str, typer.Option("--to", help="Venue time before which they lie, UTC.")] = "",
    resume: Annotated[str, typer.Option(help="Cursor of an interrupted replay: go on behind it.")] = "",
    max_messages: Annotated[int, typer.Option("--max", min=0, help="End after this many messages of quotes.")] = 0,
    as_json: Json = False,
) -> None:
    """Play quotes back as they came, at a multiple of their speed, quote by quote.

    They are those of the dataset's source, in the dataset's time. A server that restarts is waited for, and no quote is
    printed twice. Ctrl-C tells how to go on.

    \b
      crossrate data replay histdata-2014 --speed 60
      crossrate data replay histdata-2014 -i EUR/USD --from 2014-05-05T12:30 --to 2014-05-05T12:35 --speed 0 --json
    """
    from crossrate.cli import data_replay

    asked = data_replay.Asked(dataset, tuple(instrument or ()), speed, start, end, resume, max_messages)
    data_replay.replay(asked, as_json=as_json)


@data_app.command()
def rejected(run: RunId, lines: Lines = 50, as_json: Json = False) -> None:
    """Show lines that are no rows: file, number, text, reason."""
    from crossrate.cli import data_jobs

    data_jobs.rejected(run, min(lines, 1000), as_json=as_json)


@data_app.command()
def cancel(run: RunId, as_json: Json = False) -> None:
    """End a run. The file under way leaves nothing in the history; those before it stay."""
    from crossrate.cli import data_jobs

    data_jobs.cancel(run, as_json=as_json)


@data_app.command()
def delete(
    dataset: Annotated[str, typer.Argument(help="The dataset's name.", metavar="DATASET")],
    comment: Comment,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many rows it has.")] = False,
    as_json: Json = False,
) -> None:
    """Take all rows of a dataset out of the history; its files may then be loaded again."""
    from crossrate.cli import data_jobs

    data_jobs.delete(dataset, comment, dry_run=dry_run, as_json=as_json)


@data_app.command()
def vacuum(
    older_h: Annotated[int, typer.Option("--older-than", min=1, max=87_600, help="Hours that files lie there.")] = 24,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which files.")] = False,
    history: Annotated[bool, typer.Option("--history", help="Show what vacuums deleted so far.")] = False,
    as_json: Json = False,
) -> None:
    """Delete files of the history that no commit names, such as killed loads leave. It happens every hour by itself."""
    from crossrate.cli import data_jobs

    if history:
        data_jobs.vacuums(as_json=as_json)
    else:
        data_jobs.vacuum(older_h, dry_run=dry_run, as_json=as_json)


@data_app.command()
def shapes(as_json: Json = False) -> None:
    """List the shapes of vendors' files that a job can name."""
    from crossrate.cli import data_jobs

    data_jobs.shapes(as_json=as_json)
