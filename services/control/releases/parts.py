"""Parts of a specification that others read as well: times, and rules about business."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from crossrate.basics.duration import duration_s
from services.control.releases.schedule import Schedule


def _seconds(value: Any) -> Any:
    return duration_s(value) if isinstance(value, str) else value


Duration = Annotated[float, BeforeValidator(_seconds), Field(gt=0, le=30 * 86_400)]
"""Seconds, written "90s", "10m" or "1h30m"; at most 30 days."""


class Part(BaseModel):
    """What has these fields and no others, each of its own kind: TOML tells numbers, texts and truth apart, and what is
    meant as another is a mistake (`error_percent_max = true` would be one percent)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields[info.field_name or ""]
        kinds = set(get_args(field.annotation)) or {field.annotation}
        if bool in kinds:
            if not isinstance(value, bool):
                raise ValueError("must be true or false, without quotes")
        elif kinds & {int, float}:
            text = isinstance(value, str) and not any(isinstance(m, BeforeValidator) for m in field.metadata)
            if isinstance(value, bool) or text:
                raise ValueError("must be a number, without quotes")
        return value


class Hours(Part):
    """A gate that is open at some hours."""

    schedule: str = Field(max_length=500)
    """As "Mon-Fri 08:00-16:00 Europe/London"; several spans separated by commas."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        Schedule.parse(self.schedule)
        return self

    def is_open(self, now: dt.datetime) -> bool:
        """Whether it is open at a time."""
        return Schedule.parse(self.schedule).is_open(now)


class Business(Part):
    """A rule about what calls are for: it is tested with the analysis, the candidate against the stable version."""

    metric: Literal["reject_share", "fill_ratio", "price_drift", "spread"]
    """reject_share: of orders that were refused. fill_ratio: of orders that ended without being filled whole, but for
    those that somebody wanted ended. price_drift: a number of an answer, in pips. spread: ask less bid, in pips."""
    name: str = Field(default="", pattern=r"^([a-z][a-z0-9_-]{0,63})?$")
    """Of the test; empty: the metric's."""
    tolerance: float = Field(gt=0)
    """By how much the candidate may be worse: a share of orders, or pips to either side."""
    segments: tuple[Literal["account", "desk", "pair"], ...] = ("pair", "desk")
    """By what orders are also tested one by one. A pair is compared with the same pair of stable, a desk with those
    accounts of the same desk that are stable's; an account, as it has one version at a time, with all orders of stable:
    ask for it where accounts are alike. Drifts are by pair."""
    reasons: tuple[str, ...] = ()
    """Of reject_share: words of ExecutionReason that count, "RISK"; empty: all."""
    method: str = ""
    """Of price_drift and spread: whose answers, "MarketDataService/GetQuote"."""
    field: str = ""
    """Of price_drift: the number in the answer, "quote.bid". Of spread: what holds `bid` and `ask`, "quote"."""
    same: str = ""
    """Of drifts: what in the answer says of which moment it is, "quote.sequence": only answers in which it is equal are
    compared, and the market's own moves are out. Empty: the candidate's is compared with stable's newest."""
    bound: float = Field(default=5.0, gt=0)
    """Of drifts: a single difference counts for so many pips at most."""
    waits: bool = True
    """Whether a pass of the analysis waits for it."""

    @property
    def of_orders(self) -> bool:
        """Whether it counts orders, and not pips."""
        return self.metric in ("reject_share", "fill_ratio")

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return {"name": given.get("metric", ""), **given} if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _fits_metric(self) -> Self:
        if self.of_orders:
            if self.tolerance >= 1:
                raise ValueError("tolerance is a share of orders below 1: 0.01 is one in a hundred")
            if self.method or self.field or self.same:
                raise ValueError(f"{self.metric} counts orders: take method, field and same out")
        elif not self.method or not self.field:
            raise ValueError(f"{self.metric} needs method and field: whose answers, and what of them")
        elif self.bound <= self.tolerance:
            raise ValueError("bound must be above tolerance")
        if self.reasons and self.metric != "reject_share":
            raise ValueError("reasons are of reject_share: take them out")
        return self
