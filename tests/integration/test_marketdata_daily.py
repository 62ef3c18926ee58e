"""Daily sources in a process of its own: a declared file is served, changed under it, and refused when it is wrong."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import grpc
import pytest

from crossrate.api.marketdata.v1 import daily_pb2
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as pb
from services.risk.peers import MarketData as RiskRates
from tests.integration.conftest import eventually
from tests.integration.test_marketdata import refusal
from tests.integration.test_marketdata_process import Processes, processes

pytestmark = pytest.mark.integration

__all__ = ["processes"]

FEEDS = """
[feeds.simulated]
kind = "simulated"

[daily.desk]
path = "desk.csv"
layout = "long"
base = "USD"
description = "The desk's fixings"

[daily.wrong]
path = "wrong.csv"
layout = "wide"
base = "EUR"
"""
DAYS = range(2, 20)


def write(path: Path, days: Iterable[int], last: str = "") -> None:
    """The desk's file, renamed into place."""
    lines = ["date,pair,bid,ask", *(f"2026-02-{day:02},EUR/USD,1.1{day:02},1.2{day:02}" for day in days)]
    lines += [f"2026-02-{day:02},USD/JPY,15{day:02},16{day:02}" for day in days]
    made = path.with_suffix(".new")
    made.write_text("\n".join([*lines, last]))
    made.rename(path)


async def sources(stub: Any) -> dict[str, daily_pb2.DailySource]:
    """All daily sources, by name."""
    return {each.name: each for each in (await stub.ListDailySources(pb.ListDailySourcesRequest())).sources}


async def pages_of(stub: Any, request: pb.ListDailyRatesRequest) -> list[pb.ListDailyRatesResponse]:
    """Every page, the request's own first."""
    asked, pages = pb.ListDailyRatesRequest(), []
    asked.CopyFrom(request)
    while not pages or asked.page_token:
        pages.append(await stub.ListDailyRates(asked))
        asked.page_token = pages[-1].next_page_token
    return pages


async def test_a_declared_file_is_a_daily_source(processes: Processes, folder: Path) -> None:
    """With pages, crosses and sides; what is wrong is listed with its line, and what was good stays."""
    path = folder / "desk.csv"
    write(path, DAYS)
    (folder / "wrong.csv").write_text("Date,USD\n2026-02-02,1.1\n2026-02-03,one\n")
    (folder / "feeds.toml").write_text(FEEDS)
    await processes.start(
        "marketdata-1",
        CROSSRATE_MARKETDATA_FEEDS=str(folder / "feeds.toml"),
        CROSSRATE_MARKETDATA_DAILY_POLL_S="0.1",
    )
    async with processes.stub("marketdata-1") as stub:
        listed = await sources(stub)
        assert list(listed) == ["desk", "ecb", "wrong"]
        desk, wrong = listed["desk"], listed["wrong"]
        assert (desk.description, desk.base) == ("The desk's fixings", "USD")
        assert list(desk.currencies) == ["EUR", "JPY", "USD"]
        assert (desk.day_count, desk.start_date.day, desk.end_date.day) == (len(DAYS), DAYS[0], DAYS[-1])
        assert desk.state == listed["ecb"].state == daily_pb2.DAILY_SOURCE_STATE_CURRENT
        assert wrong.state == daily_pb2.DAILY_SOURCE_STATE_EMPTY
        said = [(p.file, p.line, p.field, p.reason) for p in wrong.problems]
        assert said == [("wrong.csv", 3, "USD", "'one' is no number")]
        token = await rates(stub, desk.digest)
        async with grpc.aio.insecure_channel(f"unix:{processes.place.service_socket('marketdata-1')}") as channel:
            asked = await RiskRates(channel, 60, time.monotonic).series(["JPY", "USD"], "desk")
            assert [len(asked[code].rates) for code in ("JPY", "USD")] == [len(DAYS)] * 2
        await changes(stub, path, token, desk.digest)
        for source, expected, words in (
            ("nobody", grpc.StatusCode.NOT_FOUND, "ListDailySources"),
            ("wrong", grpc.StatusCode.FAILED_PRECONDITION, "wrong.csv, line 3, USD: 'one' is no number"),
        ):
            request = pb.ListDailyRatesRequest(base="EUR", counter="JPY", source=source)
            code, details = await refusal(stub.ListDailyRates(request))
            assert code is expected
            assert words in details


async def rates(stub: Any, digest: str) -> str:
    """Every page of a cross, and those of the European Central Bank beside it; returns a page's token."""
    request = pb.ListDailyRatesRequest(base="EUR", counter="JPY", source="desk", page_size=7)
    request.start_date.year, request.start_date.month, request.start_date.day = 2026, 1, 31
    pages = await pages_of(stub, request)
    found = [rate for page in pages for rate in page.rates]
    assert [rate.date.day for rate in found] == list(DAYS)
    assert {page.digest for page in pages} == {digest}
    first = found[0]
    assert first.rate == pytest.approx(1.152 * 1552, rel=1e-12)
    assert (first.bid, first.ask) == pytest.approx((1.102 * 1502, 1.202 * 1602), rel=1e-12)
    bank = pb.ListDailyRatesRequest(base="EUR", counter="USD", page_size=1)
    (rate,) = (await stub.ListDailyRates(bank)).rates
    assert not rate.HasField("bid")
    bank.source = "ecb"
    assert (await stub.ListDailyRates(bank)).rates[0] == rate
    return pages[0].next_page_token


async def changes(stub: Any, path: Path, token: str, digest: str) -> None:
    """A day more is served, and ends the pages of before; a wrong line changes nothing."""
    request = pb.ListDailyRatesRequest(base="EUR", counter="JPY", source="desk", page_size=7, page_token=token)
    request.start_date.year, request.start_date.month, request.start_date.day = 2026, 1, 31
    assert (await stub.ListDailyRates(request)).rates
    write(path, [*DAYS, 20])

    async def newer() -> bool:
        found = (await sources(stub))["desk"]
        return found.day_count == len(DAYS) + 1 and found.digest != digest

    await eventually(newer)
    code, details = await refusal(stub.ListDailyRates(request))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "page_token" in details
    write(path, [*DAYS, 20], "2026-02-21,EUR/USD,1.2,1.1")

    async def outdated() -> bool:
        found = (await sources(stub))["desk"]
        said = [(p.line, p.field, p.reason) for p in found.problems]
        wrong = [(40, "bid", "1.2 is above the ask, 1.1")]
        return found.state == daily_pb2.DAILY_SOURCE_STATE_OUTDATED and said == wrong

    await eventually(outdated)
    request.page_token, request.page_size = "", 0
    assert len((await stub.ListDailyRates(request)).rates) == len(DAYS) + 1
