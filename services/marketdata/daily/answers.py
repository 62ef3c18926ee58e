"""What is asked about daily rates, answered."""

from __future__ import annotations

import datetime as dt
import math

from google.type import date_pb2

from crossrate.api.marketdata.v1 import daily_pb2
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as pb
from crossrate.rpc import errors
from services.marketdata.daily import pages
from services.marketdata.daily.sources import DailySource, DailySources, NoRates, UnknownSource

SOURCE_REMEDY = "ListDailySources names those that there are"


def rates(sources: DailySources, request: pb.ListDailyRatesRequest) -> pb.ListDailyRatesResponse:
    """The answer of ListDailyRates."""
    question = pages.Question(
        request.base,
        request.counter,
        _date("start_date", request.start_date) if request.HasField("start_date") else None,
        _date("end_date", request.end_date) if request.HasField("end_date") else None,
    )
    if question.first and question.last and question.first > question.last:
        raise errors.invalid(errors.Violation("end_date", "it is before start_date", "daily_rates.range"))
    try:
        history = sources.history(request.source)
        page = pages.page(history, question, request.page_size, request.page_token)
    except UnknownSource as error:
        raise errors.not_found("daily source", str(error), SOURCE_REMEDY) from error
    except NoRates as error:
        raise errors.wrong_state("EMPTY", f"daily source {request.source!r} has no rates: {error}") from error
    except pages.UnknownPair as error:
        raise errors.not_found("daily rates", str(error)) from error
    except pages.BadToken as error:
        raise errors.invalid(errors.Violation("page_token", str(error), "page_token.unknown")) from error
    answer = pb.ListDailyRatesResponse(
        next_page_token=page.next_token, source=history.source, digest=history.digest.hex()
    )
    days = page.days
    rows = zip(days.dates.astype(dt.date), days.rates.tolist(), days.bids.tolist(), days.asks.tolist(), strict=True)
    for day, rate, bid, ask in rows:
        made = answer.rates.add(date=date_message(day), rate=rate)
        if not math.isnan(bid):
            made.bid = bid
        if not math.isnan(ask):
            made.ask = ask
    return answer


def listed(sources: DailySources) -> pb.ListDailySourcesResponse:
    """The answer of ListDailySources."""
    return pb.ListDailySourcesResponse(sources=[_source(each) for each in sources.all])


def _source(source: DailySource) -> daily_pb2.DailySource:
    made = daily_pb2.DailySource(
        name=source.name,
        description=source.description,
        file=source.file,
        problem_count=source.problem_count,
        state=_state(source),
    )
    for problem in source.problems:
        made.problems.add(file=problem.file, line=problem.line, field=problem.field, reason=problem.reason)
    history = source.history
    if history is not None:
        made.base = history.numeraire
        made.currencies.extend(history.currencies)
        made.start_date.CopyFrom(date_message(history.dates[0].item()))
        made.end_date.CopyFrom(date_message(history.dates[-1].item()))
        made.day_count = len(history.dates)
        made.digest = history.digest.hex()
    if source.load_time is not None:
        made.load_time.FromDatetime(source.load_time)
    return made


def _state(source: DailySource) -> daily_pb2.DailySourceState:
    if source.history is None:
        return daily_pb2.DAILY_SOURCE_STATE_EMPTY
    return daily_pb2.DAILY_SOURCE_STATE_OUTDATED if source.refused else daily_pb2.DAILY_SOURCE_STATE_CURRENT


def date_message(day: dt.date) -> date_pb2.Date:
    """A day as a message."""
    return date_pb2.Date(year=day.year, month=day.month, day=day.day)


def _date(field: str, date: date_pb2.Date) -> dt.date:
    try:
        return dt.date(date.year, date.month, date.day)
    except ValueError as error:
        raise errors.invalid(errors.Violation(field, f"it is not a day: {error}", "date.valid")) from error
