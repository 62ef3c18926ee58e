"""How `crossrate data` shows datasets: what there is, where it comes from, what it is like."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

from crossrate.cli import show
from crossrate.cli.data_calls import call, every
from crossrate.cli.requests import as_dict

COUNTS = ("crossed", "locked", "duplicates", "out_of_order", "outliers", "closed", "gaps", "rejected")


def moment(time: Any) -> str:
    """A time as people write it, UTC."""
    text = time.ToJsonString().rstrip("Z").replace("T", " ")
    return text if time.seconds or time.nanos else ""


def datasets(lines: int, *, as_json: bool) -> None:
    """Shows what was loaded."""
    from crossrate.api.pipeline.v1 import dataset_pb2

    found = every("ListDatasets", "datasets", lines)
    if as_json:
        show.document([as_dict(each) for each in found])
        return
    names = {dataset_pb2.DATASET_KIND_BARS: "bars"}
    rows = [
        (
            each.name,
            each.venue,
            names.get(each.kind, "quotes"),
            ", ".join(each.instruments),
            f"{each.rows_out:,}",
            each.files,
            moment(each.first_time),
            moment(each.last_time),
            each.digest[:12],
        )
        for each in found
    ]
    heads = ("dataset", "source", "rows are", "instruments", "rows ", "files ", "first, UTC", "last, UTC", "digest")
    show.table(heads, rows)


def dataset(name: str, samples: int, lines: int, *, as_json: bool) -> None:
    """Shows one dataset: its lineage, and its first and last rows."""
    answer = call("GetDataset", dataset=name, sample_rows=samples)
    files = every("ListDatasetFiles", "files", lines, dataset=name)
    if as_json:
        show.document(as_dict(answer) | {"files": [as_dict(each) for each in files]})
        return
    one = answer.dataset
    job = _job(one.job_id)
    facts = [
        ("dataset", one.name),
        ("source", one.venue),
        ("instruments", ", ".join(one.instruments)),
        ("lines in", f"{one.lines_in:,} of {one.files} files, {one.rejected:,} rejected"),
        ("rows out", f"{one.rows_out:,}"),
        ("from, to", f"{moment(one.first_time)} to {moment(one.last_time)} UTC"),
        ("digest", one.digest),
        ("loaded by", f"{job.get('name', 'a run that is forgotten')}, run {one.job_id}"),
        ("job version", one.specification_digest),
        ("read from", _origin(job)),
        ("changed", f"{moment(one.update_time)} UTC"),
    ]
    show.table(("", ""), facts)
    rows = [
        (
            moment(each.load_time),
            PurePosixPath(each.uri).name,
            f"{each.lines:,}",
            f"{each.rows:,}",
            each.rejected,
            each.digest[:12],
            each.job_id,
        )
        for each in files
    ]
    show.table(("loaded, UTC", "file", "lines ", "rows ", "rejected ", "digest", "run"), rows, title="Files")
    if one.files > len(files):
        show.note(f"{len(files)} of {one.files} files; --lines shows more")
    for sample in answer.samples:
        _sample(sample)


def _job(job_id: str) -> dict[str, Any]:
    """Name, and source of its specification, of a run; nothing if it is forgotten."""
    from crossrate.rpc.call_error import CallError

    try:
        found = call("GetJob", job_id=job_id).job
    except CallError as error:
        if error.reason != "NOT_FOUND":
            raise
        return {}
    return {"name": found.name, "source": json.loads(found.specification).get("source", {})}


def _origin(job: dict[str, Any]) -> str:
    source = job.get("source", {})
    places = source.get("paths") or source.get("urls") or [source.get("stream", "")]
    shown = ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
    return f"{source.get('kind', '')}: {shown}" if source else ""


def _sample(sample: Any) -> None:
    of_bars = any(row.HasField("close_time") for row in (*sample.first, *sample.last))
    rows = [
        (
            moment(row.venue_time),
            _number(row.bid),
            _number(row.ask),
            moment(row.close_time) if of_bars else _number(row.bid_quantity),
            row.flags or "",
        )
        for part in (sample.first, sample.last)
        for row in part
    ]
    if len(sample.last):
        rows.insert(len(sample.first), ("…", "", "", "", ""))
    heads = ("begin, UTC", "bid close ", "ask close ", "end, UTC", "flags ") if of_bars else _HEADS
    show.table(heads, rows, title=sample.instrument)


_HEADS = ("venue time, UTC", "bid ", "ask ", "bid quantity ", "flags ")


def _number(value: float) -> str:
    return "" if value != value else f"{value:.10g}"


def report(method: str, lines: int, *, as_json: bool, **of: str) -> None:
    """Shows what rows are like, file by file."""
    reports = every(method, "reports", lines, **of)
    if as_json:
        show.document([as_dict(each) for each in reports])
        return
    rows = []
    for each in reports:
        broken = [f"{f.rule} {f.figure:.4g} > {f.limit:.4g}" for f in each.findings if not f.holds]
        verdict = show.mark("; ".join(broken) or "good", not broken)
        counts = (getattr(each, count) for count in COUNTS)
        place = (PurePosixPath(each.uri).name, each.instrument, f"{each.rows:,}")
        spread = _number(each.spread_median)
        rows.append((*place, moment(each.first_time), moment(each.last_time), *counts, spread, verdict))
    names = (f"{count.replace('_', ' ')} " for count in COUNTS)
    heads = ("file", "instrument", "rows ", "first, UTC", "last, UTC", *names, "spread ", "verdict")
    show.table(heads, rows)
    compared = [each for each in reports if each.HasField("bar_comparison")]
    if compared:
        _comparisons(compared)


def _comparisons(reports: list[Any]) -> None:
    """Bars against those that are built of quotes."""
    rows = []
    for each in reports:
        at = each.bar_comparison
        counts = (f"{n:,}" for n in (at.compared, at.equal, at.missing, at.without_quotes))
        pips = (f"{n:.2f}" for n in (at.difference_median_pips, at.difference_p95_pips, at.difference_max_pips))
        rows.append((PurePosixPath(each.uri).name, each.instrument, at.reference, *counts, *pips))
    heads = ("file", "instrument", "quotes of", "compared ", "equal ", "missing ", "without quotes ")
    show.table((*heads, "median, pips ", "95 % ", "largest "), rows, title="Bars against quotes")
