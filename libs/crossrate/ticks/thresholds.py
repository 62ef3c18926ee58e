"""Which figures of a quality report are too bad to load: declared, and answered rule by rule."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from crossrate.ticks.clock import SECOND
from crossrate.ticks.quality import Report


class Decision(enum.Enum):
    """What to do with a dataset."""

    LOAD = "load"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule: its name, the figure, the limit, and whether it holds."""

    rule: str
    figure: float
    limit: float
    holds: bool

    def __str__(self) -> str:
        return f"{self.rule}: {self.figure:.6g}, limit {self.limit:.6g}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """All rules that were declared."""

    findings: tuple[Finding, ...]

    @property
    def decision(self) -> Decision:
        """QUARANTINE if one rule is broken."""
        return Decision.LOAD if all(each.holds for each in self.findings) else Decision.QUARANTINE

    @property
    def broken(self) -> tuple[Finding, ...]:
        """The rules that do not hold."""
        return tuple(each for each in self.findings if not each.holds)


class Thresholds(BaseModel):
    """Limits of a dataset; a rule whose limit is None is not looked at. Shares are of all rows, 0 to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows_min: int | None = Field(1, ge=0, description="rows that the dataset must have")
    crossed_share_max: float | None = Field(0.2, ge=0, le=1, description="bid above ask")
    locked_share_max: float | None = Field(0.5, ge=0, le=1, description="bid equal to ask")
    duplicates_share_max: float | None = Field(0.05, ge=0, le=1, description="rows equal to the row before")
    out_of_order_share_max: float | None = Field(0.001, ge=0, le=1, description="times before an earlier row's")
    leaps_max: int | None = Field(0, ge=0, description="rows half an hour or more before an earlier one: two clocks")
    outliers_share_max: float | None = Field(0.001, ge=0, le=1, description="prices that leave and come back")
    closed_share_max: float | None = Field(0.01, ge=0, le=1, description="quotes in closed hours: a wrong clock")
    not_positive_max: int | None = Field(0, ge=0, description="prices of 0 or less")
    one_sided_share_max: float | None = Field(0.05, ge=0, le=1, description="quotes without a bid or an ask")
    gap_share_max: float | None = Field(0.05, ge=0, le=1, description="open time in gaps, of all time covered")
    rejected_share_max: float | None = Field(0.001, ge=0, le=1, description="lines that could not be read, of all")
    clock_offset_s_max: int | None = Field(
        0, ge=0, description="distance from the declared clock, if one was estimated"
    )
    clock_residual_pips_max: float | None = Field(1.0, gt=0, description="residual of that estimate")

    def judge(self, report: Report, *, rejected: int = 0) -> Verdict:
        """Each declared rule with its figure.

        Args:
            report: of the dataset in UTC.
            rejected: lines that could not be read, which the report has not seen.
        """
        names = ("crossed", "locked", "duplicates", "out_of_order", "outliers", "closed", "one_sided")
        figures = {f"{name}_share_max": report.share(name) for name in names}
        covered = (report.last_time or 0) - (report.first_time or 0)
        lines = report.rows + rejected
        figures |= {
            "leaps_max": report.leaps,
            "not_positive_max": report.not_positive,
            "gap_share_max": report.gap_open_ns / max(covered, SECOND),
            "rejected_share_max": rejected / lines if lines else 0.0,
        }
        if report.clock_offset_s is not None:
            figures["clock_offset_s_max"] = abs(report.clock_offset_s)
        if report.clock_residual_pips is not None:
            figures["clock_residual_pips_max"] = report.clock_residual_pips
        findings = []
        if self.rows_min is not None:
            findings.append(Finding("rows_min", report.rows, self.rows_min, report.rows >= self.rows_min))
        for name, figure in figures.items():
            limit = getattr(self, name)
            if limit is not None:
                findings.append(Finding(name, float(figure), float(limit), figure <= limit))
        return Verdict(tuple(findings))
