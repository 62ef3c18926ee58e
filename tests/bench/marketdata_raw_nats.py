"""One end of a bare NATS: publishes quotes as fast as the other end takes them, or takes them.

    python marketdata_raw_nats.py subscribe URL SECONDS     prints "ready", then messages a second; to be killed
    python marketdata_raw_nats.py publish URL SECONDS       ends by itself

Nothing but nats-py and the server. Every quote is a message on its instrument's subject and is parsed. The subscriber
says how far it is after each thousand, and the publisher keeps at most WINDOW ahead, so that nothing is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

import nats
import uvloop
from nats.aio.msg import Msg

from crossrate.api.marketdata.v1 import quote_pb2 as pb

MAJORS = ("EUR/USD", "USD/JPY", "GBP/USD", "AUD/USD", "USD/CAD", "USD/CHF", "NZD/USD", "EUR/GBP", "EUR/JPY", "EUR/CHF")
OTHERS = ("EUR/SEK", "EUR/NOK", "USD/MXN", "USD/ZAR", "USD/TRY", "USD/SGD", "USD/HKD", "EUR/PLN", "EUR/HUF", "EUR/CZK")
PAIRS = MAJORS + OTHERS
SUBJECT = "quote."
PROGRESS = "progress"
REPORT_EVERY = 1_000
WINDOW = 20_000
SILENCE_S_MAX = 10.0


async def publish(url: str, seconds: float) -> None:
    """Publishes for some seconds."""
    client = await nats.connect(url)
    taken, moved = 0, asyncio.Event()

    async def progress(msg: Msg) -> None:
        nonlocal taken
        taken = int(msg.data)
        moved.set()

    await client.subscribe(PROGRESS, cb=progress)
    await client.flush()
    quotes = [pb.Quote(instrument=name, source="simulated", health=pb.QUOTE_HEALTH_LIVE) for name in PAIRS]
    subjects = [SUBJECT + name.replace("/", "-") for name in PAIRS]
    sent, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(REPORT_EVERY):
            quote = quotes[sent % len(PAIRS)]
            quote.bid, quote.ask, quote.bid_quantity, quote.ask_quantity = 1.11723, 1.1173, 1e7, 1e7
            quote.sequence += 1
            quote.venue_time.GetCurrentTime()
            quote.receive_time.CopyFrom(quote.venue_time)
            await client.publish(subjects[sent % len(PAIRS)], quote.SerializeToString())
            sent += 1
        await asyncio.sleep(0)
        while sent - taken > WINDOW and time.monotonic() < end:
            moved.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(moved.wait(), max(end - time.monotonic(), 0.0))
    await client.close()


async def subscribe(url: str, seconds: float) -> None:
    """Takes quotes; the rate is over the middle of the time, after a warm-up of a fifth of it."""
    client = await nats.connect(url)
    count, begun = 0, asyncio.Event()

    async def message(msg: Msg) -> None:
        nonlocal count
        pb.Quote.FromString(msg.data)
        count += 1
        begun.set()
        if count % REPORT_EVERY == 0:
            await client.publish(PROGRESS, b"%d" % count)

    await client.subscribe(SUBJECT + ">", cb=message, pending_msgs_limit=4 * WINDOW)
    await client.flush()
    print("ready", flush=True)
    await asyncio.wait_for(begun.wait(), SILENCE_S_MAX)
    await asyncio.sleep(seconds / 5)
    before, start = count, time.perf_counter()
    await asyncio.sleep(seconds * 3 / 5)
    print((count - before) / (time.perf_counter() - start), flush=True)
    # The other end still publishes; whoever started both ends this one after it.
    await asyncio.sleep(seconds + SILENCE_S_MAX)


if __name__ == "__main__":
    ROLES = {"publish": publish, "subscribe": subscribe}
    uvloop.run(ROLES[sys.argv[1]](sys.argv[2], float(sys.argv[3])))
