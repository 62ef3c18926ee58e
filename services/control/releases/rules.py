"""What speaks against a candidate: the analysis, and what takes a release back by itself."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.control.releases.parts import Duration, Part


class Analysis(Part):
    """Tests of the candidate against the stable version, over the same time. They may be looked at at any time: a good
    candidate is failed with a chance of at most `alpha` over the whole release."""

    errors_absolute: float = Field(default=0.002, ge=0, lt=1)
    """By how much the share of failed calls may be higher, as a share: 0.002 is 0.2 % of the calls."""
    errors_relative: float = Field(default=0.1, ge=0, le=100)
    """The same, as a share of the stable version's."""
    latency_quantile: float = Field(default=0.99, gt=0, lt=1)
    """Which quantile of unary calls' times is compared."""
    latency_relative: float = Field(default=0.5, gt=0, le=100)
    """By how much it may be higher, as a share of the stable version's."""
    processor_relative: float = Field(default=0.0, ge=0, le=100)
    """By how much the processor time a call may be higher, as a share of the stable version's; 0: it is not tested. No
    step waits for this test: it says something where an instance of the candidate has about as many calls as one of
    stable."""
    processor_absolute_ms: float = Field(default=0.05, ge=0, le=1000)
    """The same in milliseconds, in addition."""
    alpha: float = Field(default=0.05, gt=0, lt=1)
    beta: float = Field(default=0.05, gt=0, lt=1)
    """Chance that a candidate beyond a tolerance passes."""
    go_on: Literal["passed", "unless_failed"] = "passed"
    """What a step that is over waits for: until the tests have passed, or for nothing as long as none has failed."""
    fill_calls_per_s: int = Field(default=0, ge=0, le=100)
    """To so many the candidate's calls a second are filled up by recorded ones, see `shadow.filling`; 0: by none."""

    @model_validator(mode="after")
    def _tolerance(self) -> Self:
        if self.errors_absolute == 0 and self.errors_relative == 0:
            raise ValueError("give errors_absolute or errors_relative above 0: worse by nothing can never be shown")
        return self


class Abort(Part):
    """When the release is taken back by itself."""

    ready_within: Duration = 60.0
    """The candidate's instances take calls by then."""
    answers_within: Duration = 10.0
    """A candidate that hangs for so long, and answers no health check, ends the release."""
    alerts: bool = False
    """An alert of monitoring: a text on the NATS subject `watched.ALERTS` of the service. (Who speaks gRPC or REST says
    AbortRelease.)"""
    unhealthy: bool = True
    """An instance of the candidate stops serving."""
    error_percent_max: float | None = Field(default=None, gt=0, le=100)
    """Share of a method's calls that fail for the server's reasons, see `calls.FAILURES`."""
    latency_p99_ms_max: float | None = Field(default=None, gt=0)
    """The candidate's 99th percentile of a method's unary calls, in milliseconds."""
    memory_mib_max: float | None = Field(default=None, gt=0)
    """Resident memory of an instance of the candidate, in MiB."""
    memory_growth_mib_max: float | None = Field(default=None, gt=0)
    """By how many MiB an instance may grow once it has settled, beyond what stable grows by meanwhile."""
    memory_settles_within: Duration = 10.0
    """How long after its first calls an instance may fill its memory."""
    processor_percent_max: float | None = Field(default=None, gt=0)
    """What an instance of the candidate may take of one processor, calls or not, over `processor_over`."""
    processor_over: Annotated[Duration, Field(ge=1, le=600)] = 10.0
    loop_lag_ms_max: float | None = Field(default=None, gt=0)
    """How late the event loop of an instance of the candidate may come to what is due, see `saturation.LAG_HOLDS_S`."""
    calls_min: int = Field(default=100, ge=1)
    """Calls of a method that have to be seen before one of these two is judged."""
