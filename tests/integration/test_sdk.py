"""The SDK's methods: pages, streams that resume, writes, threads."""

import asyncio
import concurrent.futures
import subprocess
import sys
import threading
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from crossrate.api.ledger.v1 import movement_service_pb2 as movements
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.client import (
    Cancelled,
    Client,
    ClientClosed,
    DeadlineExceeded,
    Gap,
    Internal,
    OutOfRange,
    PermissionDenied,
    Resumption,
    Unavailable,
)
from crossrate.client.aio import public_services
from crossrate.client.blocking import AHEAD
from crossrate.client.methods import PagedMethod, StreamMethod, method_of
from crossrate.rpc.shapes import items_field
from tests.integration.scripted_services import Deposits, Listing, Streaming, asyncio_client, served, thread_client

QUICK = Resumption(pause_s=0.001, pause_s_max=0.002, unreachable_s_max=30)
START = "2026-01-01T00:00Z"
METHODS = [contract for methods in public_services().values() for contract in methods]


async def collect(source: AsyncIterator[Any], into: list[Any]) -> None:
    """Everything that comes before a failure stays in the list."""
    async for each in source:
        into.append(each)


@pytest.mark.parametrize("contract", METHODS, ids=lambda c: c.path)
def test_what_the_contract_gives_the_sdk_has(contract: Any) -> None:
    """Whoever has a next page has `items`, or `pages` alone where the answer is columns; every stream with a cursor
    resumes, and the only ones without are those which show the mesh's own messages: nothing is kept for them."""
    made = method_of(lambda *_, **__: None, contract)
    if contract.client_streaming:
        return
    names = set(contract.output.fields_by_name)
    assert isinstance(made, PagedMethod) or "next_page_token" not in names
    if isinstance(made, PagedMethod):
        assert items_field(contract) or contract.name == "QueryTicks"
    if contract.server_streaming:
        assert isinstance(made, StreamMethod) or contract.name in ("Tap", "TapHeaders")
    assert contract.path[1:] in repr(made)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 25, 40])
async def test_all_pages_are_read(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Items of all pages come once and in order, whatever way the pages are counted, also past a page without any."""
    async with served(Listing(count), tmp_path, monkeypatch), asyncio_client() as client:
        pages = [page async for page in client.reference.ListInstruments.pages(page_size=10)]
        names = [each.name async for each in client.reference.ListInstruments.items(page_size=10)]
        entries = [each.sequence async for each in client.ledger.ListPostings.items(account="a")]
        reports = [each.sequence async for each in client.trading.ListExecutions.items(account="a")]
    assert names == [str(n) for n in range(count) if not 10 <= n < 20]
    assert len(pages) == max(1, -(-count // 10))
    assert entries == reports == list(range(1, count + 1))


async def test_a_request_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading pages moves a copy of the request, so that it can be used again."""
    asked = reference.ListInstrumentsRequest(page_size=10)
    async with served(Listing(25), tmp_path, monkeypatch), asyncio_client() as client:
        for _ in range(2):
            assert len([each async for each in client.reference.ListInstruments.items(asked)]) == 15
    assert asked == reference.ListInstrumentsRequest(page_size=10)


async def test_pages_that_do_not_move_are_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that gives the same token again is not asked for ever."""
    listing = Listing(25)
    listing.stands_still = True
    async with served(listing, tmp_path, monkeypatch), asyncio_client() as client:
        with pytest.raises(Internal, match="same page_token"):
            [each async for each in client.reference.ListInstruments.items()]
    assert len(listing.asked) == 2


async def test_a_stream_resumes_wherever_it_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken connections, a drain and the longest life are gone over with the cursor; heartbeats are left out."""
    streaming = Streaming(
        [1, 2, grpc.StatusCode.UNAVAILABLE],
        [grpc.StatusCode.UNAVAILABLE],
        ["heartbeat", 3, "DRAINING"],
        [4, "MAX_AGE"],
        [grpc.StatusCode.INTERNAL],
        [5],
        ["COMPLETE"],
    )
    async with served(streaming, tmp_path, monkeypatch), asyncio_client() as client:
        follow = client.marketdata.StreamHealth.follow(on_gap=pytest.fail, resumption=QUICK)
        assert [message.position.cursor async for message in follow] == ["1", "2", "3", "4", "5"]
    assert [request.resume_cursor for request in streaming.requests] == ["", "2", "2", "3", "4", "4", "5"]


async def test_a_bound_counts_over_all_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has come is not asked for again, and a stream that breaks after its last message is complete."""
    streaming = Streaming([1, "heartbeat", 2, grpc.StatusCode.UNAVAILABLE], [3, grpc.StatusCode.UNAVAILABLE], [4])
    async with served(streaming, tmp_path, monkeypatch), asyncio_client() as client:
        follow = client.marketdata.StreamHealth.follow(max_messages=3, resumption=QUICK)
        assert [message.position.cursor async for message in follow] == ["1", "2", "3"]
    assert [request.max_messages for request in streaming.requests] == [3, 1]


async def test_what_cannot_be_resumed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cursor that has expired is a gap in its place, and the stream begins anew."""
    streaming = Streaming([1, grpc.StatusCode.UNAVAILABLE], ["expired"], [1, "COMPLETE"])
    async with served(streaming, tmp_path, monkeypatch), asyncio_client() as client:
        events = [event async for event in client.marketdata.StreamHealth.events(resumption=QUICK)]
    assert [type(event) is Gap for event in events] == [False, True, False]
    assert [request.resume_cursor for request in streaming.requests] == ["", "1", ""]


async def test_a_stream_with_a_beginning_is_not_sent_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begun anew it would repeat everything, so it fails."""
    streaming = Streaming([1, 2, grpc.StatusCode.UNAVAILABLE], ["expired"])
    got = []
    async with served(streaming, tmp_path, monkeypatch), asyncio_client() as client:
        follow = client.marketdata.Replay.follow(instruments=["EUR/USD"], start_time=START, resumption=QUICK)
        with pytest.raises(OutOfRange):
            await collect(follow, got)
    assert len(got) == 2


async def test_a_stream_is_followed_for_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound in seconds holds where nothing comes any more, with asyncio and without."""
    streaming = Streaming([1, "hang"], [1, "hang"])
    got: list[Any] = []

    def use() -> None:
        with thread_client() as client, pytest.raises(DeadlineExceeded, match=r"the 0\.2 s for which"):
            got.extend(client.marketdata.StreamHealth.follow(timeout=0.2))

    async with served(streaming, tmp_path, monkeypatch), asyncio_client() as client:
        follow = client.marketdata.StreamHealth.follow(timeout=0.2)
        with pytest.raises(DeadlineExceeded):
            await collect(follow, got)
        await asyncio.to_thread(use)


async def test_a_refusal_ends_a_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not pass is raised at once."""
    streaming = Streaming([1, grpc.StatusCode.PERMISSION_DENIED])
    async with served(streaming, tmp_path, monkeypatch), asyncio_client() as client:
        with pytest.raises(PermissionDenied) as caught:
            [message async for message in client.marketdata.StreamHealth.follow(resumption=QUICK)]
    assert caught.value.request.resume_cursor == "1"
    assert len(streaming.requests) == 1


async def test_a_write_keeps_its_request_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made if none is given, stays through all repetitions, and is another for another call."""
    deposits = Deposits(failures=2)
    message = movements.DepositRequest(account="a", currency="USD", amount="1")
    async with served(deposits, tmp_path, monkeypatch), asyncio_client() as client:
        await client.ledger.Deposit(message)
        await client.ledger.Deposit(message)
        await client.ledger.Deposit(account="a", currency="USD", amount=2, request_id=(given := str(uuid.uuid4())))
    ids = [request.request_id for request in deposits.requests]
    assert ids[0] == ids[1] == ids[2] == str(uuid.UUID(ids[0]))
    assert ids[3] not in ("", ids[0])
    assert ids[4] == given
    assert not message.request_id


async def test_a_failure_has_the_request_that_was_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sending it again is the same write."""
    deposits = Deposits(failures=4)
    async with served(deposits, tmp_path, monkeypatch), asyncio_client() as client:
        with pytest.raises(Unavailable) as caught:
            await client.ledger.Deposit(account="a", currency="USD", amount="1")
        assert caught.value.attempts == 4
        await client.ledger.Deposit(caught.value.request)
    assert len({request.request_id for request in deposits.requests}) == 1
    assert len(deposits.requests) == 5


async def test_a_request_of_another_method_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is sent, since its bytes could mean something there."""
    async with served(Deposits(0), tmp_path, monkeypatch), asyncio_client() as client:
        with pytest.raises(TypeError, match="Deposit takes DepositRequest, not WithdrawRequest"):
            client.ledger.Deposit(movements.WithdrawRequest())
        with pytest.raises(TypeError, match="Deposit takes DepositRequest, not dict"):
            client.ledger.Deposit({"account": "a"})


async def test_a_future_that_is_cancelled_ends_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server learns that nobody waits any more."""
    deposits = Deposits(0)
    deposits.hangs = True
    async with served(deposits, tmp_path, monkeypatch):
        with await asyncio.to_thread(thread_client) as client:
            future = client.ledger.Deposit.future(account="a", currency="USD", amount="1")
            await asyncio.wait_for(deposits.arrived.wait(), 60)
            assert future.cancel()
            await asyncio.wait_for(deposits.cancelled.wait(), 60)
            with pytest.raises(concurrent.futures.CancelledError):
                future.result()


async def test_closing_ends_what_other_threads_wait_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls and iterations end as cancelled, later ones are refused, and closing twice is nothing."""
    deposits = Deposits(0)
    deposits.hangs = True
    async with served(deposits, tmp_path, monkeypatch):
        client = await asyncio.to_thread(thread_client)
        waiting = asyncio.create_task(asyncio.to_thread(client.ledger.Deposit, account="a", currency="USD", amount="1"))
        await asyncio.wait_for(deposits.arrived.wait(), 60)
        await asyncio.to_thread(client.close)
        with pytest.raises(Cancelled):
            await waiting
        client.close()
        with pytest.raises(ClientClosed, match="this client is closed"):
            client.ledger.Deposit(account="a", currency="USD", amount="1")


async def test_a_stream_that_is_left_or_closed_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without asyncio too: leaving the iteration ends it, closing the client ends that of another thread."""
    streaming = Streaming([1, 2, "hang"], [1, "hang"])

    def use() -> list[str]:
        with thread_client() as client:
            left = []
            for message in client.marketdata.StreamHealth.follow():
                left.append(message.position.cursor)
                if len(left) == 2:
                    break
            reached, ended = threading.Event(), []

            def read() -> None:
                try:
                    for _ in client.marketdata.StreamHealth.follow():
                        reached.set()
                except Cancelled as error:
                    ended.append(error)

            thread = threading.Thread(target=read)
            thread.start()
            assert reached.wait(60)
        thread.join(60)
        assert not thread.is_alive()
        assert len(ended) == 1
        return left

    async with served(streaming, tmp_path, monkeypatch):
        assert await asyncio.to_thread(use) == ["1", "2"]


async def test_a_thread_gets_all_before_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made ahead of a thread that iterates comes in order and before the failure, also more than may wait."""
    sent = 3 * AHEAD
    streaming = Streaming([*range(1, sent + 1), grpc.StatusCode.PERMISSION_DENIED])

    def use() -> list[int]:
        got: list[int] = []
        with thread_client() as client:
            follow = client.marketdata.StreamHealth.follow()
            got.append(int(next(follow).position.cursor))
            with pytest.raises(PermissionDenied):
                got.extend(int(message.position.cursor) for message in follow)
        return got

    async with served(streaming, tmp_path, monkeypatch):
        assert await asyncio.to_thread(use) == list(range(1, sent + 1))


async def test_threads_share_a_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of many threads gets its own answers."""

    def names(client: Client, size: int) -> list[str]:
        return [each.name for _ in range(5) for each in client.reference.ListInstruments.items(page_size=size)]

    def use() -> None:
        with thread_client() as client, concurrent.futures.ThreadPoolExecutor(8) as pool:
            sizes = list(range(3, 19))
            for size, found in zip(sizes, pool.map(lambda size: names(client, size), sizes), strict=True):
                assert found == [str(n) for n in range(40) if not size <= n < 2 * size] * 5

    async with served(Listing(40), tmp_path, monkeypatch):
        await asyncio.to_thread(use)


FORKED = """
import os
from crossrate.client import Client, ClientClosed

with Client("localhost:1", ca=b"", client="") as client:
    child = os.fork()
    if not child:
        try:
            client.reference.ListInstruments()
        except ClientClosed as error:
            print(error, flush=True)
        client.close()
        os._exit(0)
    os.waitpid(child, 0)
print("closed")
"""


def test_a_client_of_another_process_says_so() -> None:
    """In place of waiting for a thread that the fork did not take along; the parent's client is not touched."""
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=60, check=True)
    said = "this client was made before the process was forked: make one in the new process"
    assert done.stdout.splitlines() == [said, "closed"]
