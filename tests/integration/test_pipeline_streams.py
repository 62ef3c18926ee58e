"""Streams of NATS as a source: each message's quote is in the history once, whoever is killed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import nats
import numpy as np
import pytest
import pytest_asyncio

from crossrate.api.marketdata.v1.quote_pb2 import Quote
from crossrate.api.pipeline.v1 import job_pb2
from crossrate.events import Events
from crossrate.runtime import topology
from tests.integration.conftest import eventually
from tests.integration.pipelines import MONDAY, Pipeline, job, line, pipeline

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SUCCEEDED, CANCELLED, FAILED = job_pb2.JOB_STATE_SUCCEEDED, job_pb2.JOB_STATE_CANCELLED, job_pb2.JOB_STATE_FAILED
SUBJECT = "crossrate.marketdata.v1.quotes_in.desk"
DECLARED = """
[streams.quotes_in]
owner = "marketdata"
subjects = ["crossrate.marketdata.v1.quotes_in.>"]
max_mib = 16

[publishers.desk]
publishes = ["crossrate.marketdata.v1.quotes_in.desk.>"]
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Pipeline]:
    """One pipeline for all of it, in a mesh with a stream of quotes that a desk publishes."""
    with tempfile.TemporaryDirectory(prefix="xr-", ignore_cleanup_errors=True) as folder:
        declared = topology.DEFAULT_PATH.read_text().replace(
            "[services.pipeline]\ncalls = []\n", '[services.pipeline]\ncalls = []\nconsumes = ["quotes_in"]\n'
        )
        declared = declared.replace("max_mib = 256", "max_mib = 128")
        path = Path(folder, "topology.toml")
        path.write_text(declared + DECLARED)
        async with pipeline(Path(folder), topology.load(path), CROSSRATE_TOPOLOGY=str(path)) as made:
            yield made


async def publish(running: Pipeline, subject: str, payloads: Sequence[bytes]) -> int:
    """Publishes messages as the desk does, which may do nothing else; the number of the last one in the stream."""
    secret = json.loads((running.processes.place.state / "credentials" / "desk.json").read_text())["nats"]
    events = await Events.open(running.processes.servers.runtime("pipeline", "pipeline-9"))
    client = await nats.connect(secret["url"], nkeys_seed_str=secret["seed"])
    try:
        wanted = (await events.stream_ends("quotes_in")).last + len(payloads)
        for payload in payloads:
            await client.publish(f"{SUBJECT}.{subject}", payload)
        await client.flush()

        async def stored() -> bool:
            return (await events.stream_ends("quotes_in")).last == wanted

        await eventually(stored)
        return wanted
    finally:
        await client.close()
        await events.close()


def quote(number: int, instrument: str = "EUR/USD") -> Quote:
    """A quote of the desk, one a second."""
    made = Quote(instrument=instrument, bid=1.08 + number * 1e-5, ask=1.0801 + number * 1e-5, sequence=number + 1)
    made.venue_time.FromDatetime(MONDAY + timedelta(seconds=number))
    return made


def spec(dataset: str, subject: str, **source: object) -> dict[str, object]:
    """A job that loads messages of one subject."""
    whole = {"kind": "nats", "stream": "quotes_in", "subject": f"{SUBJECT}.{subject}", "part_s": 0.2} | source
    return job(dataset, source=whole, target={"dataset": dataset, "venue": dataset.upper()})


async def test_every_quote_of_a_stream_is_loaded_once_whoever_is_killed(running: Pipeline) -> None:
    """Quotes in protobuf and in JSON of two instruments, published while the pipeline is killed twice: at the declared
    end each is there, once, in its own columns; another job over the stream finds nothing that it has not."""
    number = await publish(running, "a", [quote(n).SerializeToString() for n in range(200)])
    first = spec("quotes-in", "a", encoding="quotes", end_sequence=number + 400, part_messages_max=50)
    del first["shape"], first["map"]
    begun = await running.start_job(first)

    def loaded(least: int) -> Callable[[], bool]:
        return lambda: running.rows("quotes-in") >= least

    for round_, at in ((2, 200), (3, 400)):
        await eventually(loaded(at - 50))
        running.kill()
        if at == 200:
            await publish(running, "a", list(yen()))
        else:
            await publish(running, "a", [quote(n).SerializeToString() for n in range(200, 400)])
        await running.start(f"pipeline-{round_}")
    found = await running.ended(begun.id)
    assert (found.state, found.error) == (SUCCEEDED, ""), await running.files(begun.id)
    euros = running.quotes("QUOTES-IN")
    assert euros.sequence.tolist() == list(range(1, 401))
    assert (euros.bid == [1.08 + n * 1e-5 for n in range(400)]).all()
    assert np.isnan(euros.bid_quantity).all()
    assert len(running.quotes("QUOTES-IN", "USD/JPY")) == 200
    assert running.rows("quotes-in") == found.progress.rows_loaded == 600
    assert list(running.history.verify(venue="QUOTES-IN")) == []
    again = await running.run(first)
    assert (again.state, again.progress.files_total, running.rows("quotes-in")) == (SUCCEEDED, 0, 600)
    lineage = (await running.call("ListDatasetFiles", dataset="quotes-in")).files
    assert lineage[0].uri.startswith(f"nats://quotes_in/{SUBJECT}.a#1-")
    assert sum(each.rows for each in lineage) == 600


def yen() -> Iterator[bytes]:
    """Quotes of another instrument in JSON, as a person writes them."""
    for number in range(200):
        time = f"{(MONDAY + timedelta(seconds=number)).isoformat()}Z"
        yield json.dumps({"instrument": "USDJPY", "bid": "150.1", "ask": 150.2, "venueTime": time}).encode()


async def test_messages_are_lines_of_a_declared_shape(running: Pipeline) -> None:
    """Several lines a message, two instruments by a column; what is no line is told by the number of its message. The
    job ends with what was there, and the next one goes on behind it."""
    columns = [{"role": each} for each in ("time", "bid", "ask", "instrument")]
    shape = {"name": "desk", "times": ["%Y-%m-%dT%H:%M:%S.%fZ"], "columns": columns}

    def messages(begin: int) -> list[bytes]:
        both = ("EURUSD", "GBPUSD")
        return ["\n".join(f"{line(n)},{name}" for name in both).encode() for n in range(begin, begin + 100)]

    last = await publish(running, "b", [*messages(0), b"nonsense,1,2,EURUSD"])
    lined = spec("lines-in", "b", until_now=True) | {"shape": shape, "map": {}, "quality": {"rejected_share_max": 0.1}}
    found = await running.run(lined)
    assert (found.state, found.progress.rows_loaded, found.progress.rows_rejected) == (SUCCEEDED, 200, 1), (
        await running.files(found.id)
    )
    assert [each.line for each in await running.rejected(found.id)] == [last]
    await publish(running, "b", messages(100))
    more = await running.run(lined)
    assert (more.state, more.progress.rows_loaded, running.rows("lines-in")) == (SUCCEEDED, 200, 400)
    for instrument in ("EUR/USD", "GBP/USD"):
        times = running.quotes("LINES-IN", instrument).venue_time
        assert len(np.unique(times)) == len(times) == 200


async def test_a_stretch_of_nonsense_is_quarantined_and_the_next_is_loaded(running: Pipeline) -> None:
    """Nothing of it is loaded, it is told, and the job goes on."""
    await publish(running, "c", [b"nonsense"] * 5)
    stream = spec("broken-in", "c", encoding="quotes", until_idle_s=0.5, part_messages_max=5)
    del stream["shape"], stream["map"]
    begun = await running.start_job(stream)

    async def told() -> bool:
        return bool((await running.call("GetJob", job_id=begun.id)).job.progress.files_quarantined)

    await publish(running, "c", [quote(n).SerializeToString() for n in range(5)])
    await eventually(told)
    found = await running.ended(begun.id)
    assert (found.progress.files_quarantined, found.progress.files_loaded, running.rows("broken-in")) == (1, 1, 5)
    (bad, _) = await running.files(begun.id)
    assert "no message is a quote" in bad.message


async def test_a_stream_without_an_end_is_loaded_until_it_is_cancelled(running: Pipeline) -> None:
    """What was committed stays."""
    await publish(running, "d", [quote(n).SerializeToString() for n in range(10)])
    endless = spec("endless", "d", encoding="quotes")
    del endless["shape"], endless["map"]
    begun = await running.start_job(endless)

    async def loaded() -> bool:
        return running.rows("endless") == 10

    await eventually(loaded)
    await running.call("CancelJob", job_id=begun.id)
    assert (await running.ended(begun.id)).state == CANCELLED
    assert running.rows("endless") == 10


async def test_what_cannot_be_read_is_refused(running: Pipeline) -> None:
    """A stream that the topology does not let the service read; bars; messages that are gone."""
    other = await running.refusal(spec("refused", "e", stream="quotes"))
    assert other.violations[0].field == "specification.source.stream"
    assert "quotes_in" in other.violations[0].description
    bars = await running.refusal(spec("refused", "e") | {"shape": "generic_bars"})
    assert [each.field for each in bars.violations] == ["specification.shape"]
    late = await running.run(spec("refused", "a", begin_sequence=1, end_sequence=1))
    assert late.state != FAILED, late.error
