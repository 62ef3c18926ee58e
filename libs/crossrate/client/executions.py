"""Execution reports of an account that outlive connections: resumed behind the last one received, never with a gap."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import grpc

from crossrate.api.trading.v1 import order_history_pb2 as pb
from crossrate.client.resuming import SILENCE_S_MAX, Resumption
from crossrate.rpc.call_error import CallError

if TYPE_CHECKING:
    from crossrate.api.trading.v1.execution_pb2 import ExecutionReport

METHOD = "/crossrate.api.trading.v1.TradingService/StreamExecutions"


async def executions(
    stub: Any, account: str, after_sequence: int, resumption: Resumption
) -> AsyncIterator[ExecutionReport]:
    """The reports of an account after a number, without end.

    Raises:
        CallError: the service refuses the request, or was not reachable for `unreachable_s_max`.
    """
    at, broken, heard_s = after_sequence, 0, time.monotonic()
    while True:
        call = stub.StreamExecutions(pb.StreamExecutionsRequest(account=account, after_sequence=at))
        cause = CallError(grpc.StatusCode.UNAVAILABLE, "the stream of reports broke", method=METHOD)
        try:
            while True:
                async with asyncio.timeout(SILENCE_S_MAX):
                    message = await call.read()
                if message is grpc.aio.EOF:
                    break
                kind = message.WhichOneof("content")
                if kind == "error":
                    raise CallError.of_status(message.error, METHOD)
                broken, heard_s = 0, time.monotonic()
                for report in message.reports.reports:
                    assert report.sequence == at + 1, f"report {report.sequence} of {account} follows {at}"
                    at = report.sequence
                    yield report
        except TimeoutError:
            pass
        except CallError as error:
            if not error.may_pass and error.code() is not grpc.StatusCode.CANCELLED:
                raise
            cause = error
        finally:
            call.cancel()
        if time.monotonic() - heard_s > resumption.unreachable_s_max:
            raise cause
        await asyncio.sleep(random.random() * min(resumption.pause_s_max, resumption.pause_s * 2 ** min(broken, 20)))
        broken += 1
