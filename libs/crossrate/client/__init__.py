"""The public Python SDK: every service of the platform, synchronously or with asyncio.

    from crossrate.client import Client

    with Client() as client:                                  # finds the mesh that runs on this machine
        print(client.reference.GetInstrument(base="EUR", counter="USD").instrument.pip)
        for quote in client.stream_quotes(["EUR/USD"]):       # resumes by itself
            print(quote.bid, quote.ask)
        for book in client.stream_books(["EUR/USD"], depth=5):
            print(book.bids(), book.buy(5_000_000).average_price)

And it trades. Amounts are Decimal, str or int, never float:

    with Client() as client:
        answer = client.place("alpha", "EUR/USD", "buy", 100_000, limit_price="1.0825", time_in_force="gtc")
        client.cancel("alpha", answer.order.terms.client_order_id)
        for report in client.stream_executions("alpha", after=0):   # resumes by itself, each report once
            print(report.sequence, report.order.status, report.fill.price)

On the mesh's own machine a program is the client "local" by its certificate. Elsewhere it has a token, which is renewed
by itself:

    Client("fx.example:443", ca="roots.pem", token=stored_login("fx.example:443"))          # after `crossrate login`
    Client(target, ca=roots, token=ClientCredentials(target, "robot", key_pem, ca=roots))   # a program with its key
    Client(target, ca=roots, token=ApiKey(target, "xrk_k-…", ca=roots))

A method takes its request message or the request's fields by name, and returns the answer message. Deadlines and
repetition follow the contract; failures are `CallError`, each code a class of its own. README.md shows it all.
"""

from typing import Any

from crossrate.client.aio import AsyncClient
from crossrate.client.analytics import Greeks, risk_book
from crossrate.client.blocking import ClientClosed
from crossrate.client.books import LiveBook
from crossrate.client.find import NoMesh
from crossrate.client.order_form import OrderRejected, OutcomeUnknown, new_order
from crossrate.client.quotes import Gap
from crossrate.client.requests import request_of
from crossrate.client.resuming import Resumption
from crossrate.client.session import SessionEnded, TradeSession
from crossrate.client.sync import Client
from crossrate.client.tokens import ApiKey, ClientCredentials, LoginNeeded, StoredLogin, TokenSource, stored_login
from crossrate.rpc.call_error import (
    Aborted,
    AlreadyExists,
    CallError,
    Cancelled,
    DataLoss,
    DeadlineExceeded,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ResourceExhausted,
    StepUpRequired,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    Unknown,
    Violation,
)
from crossrate.rpc.reason import Reason
from crossrate.rpc.resilience import RetryLimits

__all__ = [
    "Aborted",
    "AlreadyExists",
    "ApiKey",
    "AsyncClient",
    "CallError",
    "Cancelled",
    "Client",
    "ClientClosed",
    "ClientCredentials",
    "DataLoss",
    "DeadlineExceeded",
    "FailedPrecondition",
    "Frame",
    "Gap",
    "Greeks",
    "Internal",
    "InvalidArgument",
    "LiveBook",
    "LoginNeeded",
    "NoMesh",
    "NotFound",
    "OrderRejected",
    "OutOfRange",
    "OutcomeUnknown",
    "PermissionDenied",
    "Reason",
    "ResourceExhausted",
    "Resumption",
    "RetryLimits",
    "SessionEnded",
    "StepUpRequired",
    "StoredLogin",
    "TokenSource",
    "TradeSession",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "Unknown",
    "Violation",
    "new_order",
    "request_of",
    "risk_book",
    "stored_login",
]


def __getattr__(name: str) -> Any:
    """Frames bring numpy, which programs that trade do not wait for."""
    if name == "Frame":
        from crossrate.client.frames import Frame

        return Frame
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
