"""What risk says that accounts use, once nothing works any more: their positions, and nothing reserved beside them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from decimal import Decimal

import grpc

from crossrate.api.common.v1 import check_pb2
from crossrate.api.risk.v1 import limit_service_pb2 as limits
from crossrate.api.risk.v1.limit_service_pb2_grpc import LimitServiceStub
from tests.chaos.books import Book
from tests.chaos.checker import Broken, Problem

PAGE = 1_000


async def reserved(channel: grpc.aio.Channel, books: Iterable[Book]) -> list[Problem]:
    """Where the use of an account's limits is not what its fills make, all of its orders having ended."""
    problems = []
    for book in books:
        scope = f"account:{book.account}"
        request = limits.ListLimitUsageRequest(scope=scope, page_size=PAGE)
        try:
            usages = (await LimitServiceStub(channel).ListLimitUsage(request, timeout=20)).usages
        except grpc.aio.AioRpcError as error:
            problems.append(Problem(Broken.STUCK, f"risk of {book.account}", str(error.details())))
            continue
        positions = {name: abs(base) for name, (base, _) in book.positions().items()}
        for usage in usages:
            expected = None
            if usage.limit.kind == check_pb2.CHECK_KIND_OPEN_ORDERS or not any(positions.values()):
                expected = Decimal(0)
            elif usage.limit.kind == check_pb2.CHECK_KIND_POSITION:
                expected = positions.get(usage.name, Decimal(0))
            if usage.limit.kind in _OF_FILLS or expected is None:
                continue
            with contextlib.suppress(ArithmeticError):
                if Decimal(usage.value) == expected:
                    continue
            kind = check_pb2.CheckKind.Name(usage.limit.kind)
            words = f"{kind} {usage.name} is {usage.value}, by its fills {expected}"
            problems.append(Problem(Broken.APART, f"risk of {book.account}", words))
        if not usages:
            problems.append(Problem(Broken.APART, f"risk of {book.account}", "it says nothing of the account"))
    return problems


_OF_FILLS = (check_pb2.CHECK_KIND_DAILY_LOSS,)
"""What fills have made stays."""
