"""Values as messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from numpy.typing import NDArray

from crossrate.api.pipeline.v1 import dataset_pb2, job_pb2
from crossrate.ticks.thresholds import Finding
from services.pipeline.domain.progress import Inspected, Progress
from services.pipeline.store.datasets import LoadedFile, VacuumRow
from services.pipeline.store.jobs import DatasetRow, FileRow, Job, RejectedRow

GAPS_TOLD_MAX = 20


def moment(value: datetime | None) -> Timestamp | None:
    """A time; None stays unset."""
    if value is None:
        return None
    made = Timestamp()
    made.FromDatetime(value.astimezone(UTC))
    return made


def moment_ns(value: int | None) -> Timestamp | None:
    """A time of nanoseconds since 1970 UTC; None stays unset."""
    if value is None:
        return None
    made = Timestamp()
    made.FromNanoseconds(value)
    return made


def span_ns(value: int) -> Duration:
    """A duration of nanoseconds."""
    made = Duration()
    made.FromNanoseconds(value)
    return made


def progress_message(value: Progress) -> job_pb2.Progress:
    """How far a job has come."""
    data = value.to_dict()
    remaining_s = data.pop("remaining_s")
    made = job_pb2.Progress(**data)
    if remaining_s is not None:
        made.remaining.FromTimedelta(timedelta(seconds=min(remaining_s, 10 * 365 * 86_400)))
    return made


def job_message(job: Job) -> job_pb2.Job:
    """A job."""
    return job_pb2.Job(
        id=job.id,
        name=job.name,
        dataset=job.dataset,
        venue=job.venue,
        state=int(job.state),
        dry_run=job.dry_run,
        specification=job.specification,
        specification_digest=job.specification_digest,
        progress=progress_message(job.progress),
        error=job.error,
        create_time=moment(job.create_time),
        start_time=moment(job.start_time),
        end_time=moment(job.end_time),
        attempts=job.attempts,
    )


def file_message(row: FileRow) -> job_pb2.JobFile:
    """A file of a job."""
    return job_pb2.JobFile(
        ordinal=row.ordinal,
        uri=row.uri,
        size_bytes=row.size_bytes,
        state=int(row.state),
        digest=row.digest,
        lines=row.lines,
        rows=row.rows,
        rejected=row.rejected,
        message=row.message,
        resumed_rows=row.resumed_rows,
    )


def rejected_message(row: RejectedRow) -> dataset_pb2.RejectedRow:
    """A line that is no row."""
    return dataset_pb2.RejectedRow(
        file_ordinal=row.file_ordinal, member=row.member, line=row.line, text=row.text, reason=row.reason
    )


def dataset_message(row: DatasetRow) -> dataset_pb2.Dataset:
    """A dataset."""
    return dataset_pb2.Dataset(
        name=row.name,
        venue=row.venue,
        instruments=sorted(row.instruments),
        files=row.files,
        lines_in=row.lines,
        rows_out=row.rows,
        rejected=row.rejected,
        first_time=moment_ns(row.first_time),
        last_time=moment_ns(row.last_time),
        digest=row.digest,
        job_id=row.job_id,
        specification_digest=row.specification_digest,
        update_time=moment(row.update_time),
        kind=int(row.kind),
    )


def _finding(each: Finding) -> dataset_pb2.Finding:
    return dataset_pb2.Finding(rule=each.rule, figure=each.figure, limit=each.limit, holds=each.holds)


def report_message(
    job_id: str, ordinal: int, uri: str, found: Inspected, reference: str = ""
) -> dataset_pb2.QualityReport:
    """What one instrument of a file is like."""
    report = found.report
    counts = ("crossed", "locked", "duplicates", "out_of_order", "outliers", "closed", "leaps", "one_sided", "gaps")
    made = dataset_pb2.QualityReport(
        job_id=job_id,
        file_ordinal=ordinal,
        uri=uri,
        instrument=found.instrument,
        rows=report.rows,
        first_time=moment_ns(report.first_time),
        last_time=moment_ns(report.last_time),
        **{name: int(getattr(report, name)) for name in counts},
        gap_open_duration=span_ns(int(report.gap_open_ns)),
        longest_gaps=[
            dataset_pb2.Gap(
                begin_time=moment_ns(int(gap.begin)),
                end_time=moment_ns(int(gap.end)),
                open_duration=span_ns(int(gap.open_ns)),
            )
            for gap in report.longest_gaps[:GAPS_TOLD_MAX]
        ],
        spread_median=report.spread(0.5),
        spread_p95=report.spread(0.95),
        rejected=found.rejected,
        findings=[_finding(each) for each in found.findings],
        decision=dataset_pb2.DECISION_QUARANTINE if found.broken else dataset_pb2.DECISION_LOAD,
    )
    if found.comparison is not None:
        each = found.comparison
        made.bar_comparison.CopyFrom(
            dataset_pb2.BarComparison(
                reference=reference,
                compared=each.compared,
                equal=each.equal,
                without_quotes=each.without_quotes,
                missing=each.missing,
                difference_median_pips=each.median,
                difference_p95_pips=each.p95,
                difference_max_pips=each.largest,
            )
        )
    return made


def dataset_file_message(row: LoadedFile) -> dataset_pb2.DatasetFile:
    """A file of a dataset."""
    return dataset_pb2.DatasetFile(
        digest=row.digest,
        uri=row.uri,
        job_id=row.job_id,
        specification_digest=row.specification_digest,
        lines=row.lines,
        rows=row.rows,
        rejected=row.rejected,
        load_time=moment(row.load_time),
        spans=[
            dataset_pb2.DatasetSpan(
                instrument=each.instrument,
                rows=each.rows,
                first_time=moment_ns(each.first),
                last_time=moment_ns(each.last),
            )
            for each in row.spans
        ],
    )


def sample_message(
    instrument: str, first: Mapping[str, NDArray], last: Mapping[str, NDArray]
) -> dataset_pb2.DatasetSample:
    """Rows of one instrument."""
    return dataset_pb2.DatasetSample(instrument=instrument, first=_rows(first), last=_rows(last))


def _rows(block: Mapping[str, NDArray]) -> list[dataset_pb2.SampleRow]:
    """Rows of the store, of bars with the prices of their close."""
    is_bars = "close_time" in block
    prices = ("bid_close", "ask_close") if is_bars else ("bid", "ask")
    unknown = np.full(len(block["venue_time"]), np.nan)
    columns = [block["venue_time"], *(block[name] for name in prices)]
    columns += [block.get(name, unknown) for name in ("bid_quantity", "ask_quantity")]
    rows = zip(*(column.tolist() for column in (*columns, block["flags"])), strict=True)
    made = [
        dataset_pb2.SampleRow(
            venue_time=moment_ns(time), bid=bid, ask=ask, bid_quantity=low, ask_quantity=high, flags=flags
        )
        for time, bid, ask, low, high, flags in rows
    ]
    for row, close in zip(made, block["close_time"].tolist() if is_bars else (), strict=False):
        row.close_time.FromNanoseconds(close)
    return made


def vacuum_message(row: VacuumRow) -> dataset_pb2.Vacuum:
    """What a vacuum did."""
    return dataset_pb2.Vacuum(
        time=moment(row.time),
        min_age=Duration(seconds=row.min_age_s),
        files=row.files,
        bytes=row.bytes,
        kept=row.kept,
        error=row.error,
    )
