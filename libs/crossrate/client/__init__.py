"""The public Python SDK: every service of the platform, synchronously or with asyncio.

    from crossrate.client import Client

    with Client() as client:                                  # finds the mesh that runs on this machine
        print(client.reference.GetInstrument(base="EUR", counter="USD").instrument.pip)
        for quote in client.stream_quotes(["EUR/USD"]):       # resumes by itself
            print(quote.bid, quote.ask)
        for book in client.stream_books(["EUR/USD"], depth=5):
            print(book.bids(), book.buy(5_000_000).average_price)

A method takes its request message or the request's fields by name, and returns the answer message. Deadlines and
repetition follow the contract; failures are `CallError`.
"""

from crossrate.client.aio import AsyncClient
from crossrate.client.books import LiveBook
from crossrate.client.find import NoMesh
from crossrate.client.quotes import Gap
from crossrate.client.sync import Client
from crossrate.rpc.call_error import CallError, Violation

__all__ = ["AsyncClient", "CallError", "Client", "Gap", "LiveBook", "NoMesh", "Violation"]
