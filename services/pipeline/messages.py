"""Values as messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from crossrate.api.pipeline.v1 import dataset_pb2, job_pb2
from crossrate.ticks.thresholds import Finding
from services.pipeline.domain.progress import Inspected, Progress
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


def report_message(job_id: str, ordinal: int, uri: str, found: Inspected) -> dataset_pb2.QualityReport:
    """What one instrument of a file is like."""
    report = found.report
    counts = ("crossed", "locked", "duplicates", "out_of_order", "outliers", "closed", "leaps", "one_sided", "gaps")
    return dataset_pb2.QualityReport(
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
