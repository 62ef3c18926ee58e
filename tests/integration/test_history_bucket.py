"""The store of quotes in a bucket, against a real object store: SeaweedFS, from a wheel of the development group."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossrate.history.errors import DamagedError
from crossrate.history.keys import Batch
from crossrate.history.store import TickStore
from crossrate.ticks.bars import Bars, bars_of
from crossrate.ticks.columns import Ticks
from crossrate.ticks.periods import DAY, UTC, Period
from tests.ports import free_ports
from tests.unit.history.some import MONDAY, PAIR, all_of, in_time, quotes, same
from tests.unit.ticks.test_bars import same as same_bars

READY_S_MAX = 60.0
KEYS = {"AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An object store of this module's, with one bucket; how delta-rs reaches it."""
    folder: Path = tmp_path_factory.mktemp("weed")
    credentials = [{"accessKey": KEYS["AWS_ACCESS_KEY_ID"], "secretKey": KEYS["AWS_SECRET_ACCESS_KEY"]}]
    identity = {"name": "reader", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    # Each part listens at its port for HTTP, and for gRPC at one that it is told.
    names = ["master", "volume", "filer", "s3"]
    ports = dict(zip([*names, *(f"{name}.grpc" for name in names)], free_ports(8), strict=True))
    said = [
        f"-{name}.port{'.grpc' * ('.grpc' in part)}={port}"
        for part, port in ports.items()
        for name in [part.split(".")[0]]
    ]
    command = [
        str(Path(sys.executable).with_name("weed")),
        "server",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-filer",
        "-s3",
        *said,
    ]
    command += [
        f"-s3.config={folder}/s3.json",
        "-volume.max=20",
        "-master.volumeSizeLimitMB=64",
        "-master.telemetry=false",
    ]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    command += [f"-filer.localSocket={folder}/filer.sock", f"-s3.localSocket={folder}/s3.sock"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        endpoint = f"http://127.0.0.1:{ports['s3']}"
        until = time.monotonic() + READY_S_MAX
        while not answers(endpoint):
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            assert time.monotonic() < until, (folder / "log").read_text()[-2000:]
            time.sleep(0.2)
        found = {**KEYS, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true"}
        make_bucket(endpoint)
        yield found
    finally:
        # Asked politely it takes half a minute, and its folder goes with the test.
        process.kill()
        process.wait(60)
        for port in ports.values():
            # It leaves sockets of fixed names.
            for socket in Path(tempfile.gettempdir()).glob(f"seaweedfs-*-{port}.sock"):
                socket.unlink()


def answers(endpoint: str) -> bool:
    """Whether something answers, be it with a refusal."""
    try:
        urllib.request.urlopen(endpoint, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def make_bucket(endpoint: str) -> None:
    """Makes the bucket that the stores are in."""
    from pyarrow.fs import S3FileSystem

    S3FileSystem(
        access_key=KEYS["AWS_ACCESS_KEY_ID"],
        secret_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        endpoint_override=endpoint.removeprefix("http://"),
        scheme="http",
        region="us-east-1",
        allow_bucket_creation=True,
    ).create_dir("ticks")


@pytest.fixture
def url() -> str:
    """A place of its own for each test."""
    return f"s3://ticks/{uuid.uuid4().hex}"


def test_a_bucket_keeps_what_a_folder_does(options: dict[str, str], url: str) -> None:
    """Rows, positions, bars, compaction, removal and verification are those of a store in a folder."""
    store = TickStore.open(url, options)
    for seed in range(3):
        store.append("sim", PAIR, quotes(2000, seed=seed), "feed", seed)
    assert store.append("sim", PAIR, quotes(2000, seed=2), "feed", 2).repeated
    expected = in_time(Ticks.concatenated([quotes(2000, seed=seed) for seed in range(3)]))
    same(all_of(store), expected)
    assert store.compact().files_after == 2
    same(all_of(TickStore.open(url, options)), expected)
    assert list(store.verify()) == []
    bars = Bars.joined(list(store.bars(PAIR, Period.HOUR_1, MONDAY, MONDAY + 9 * DAY, session=UTC)))
    same_bars(bars, bars_of(expected, Period.HOUR_1, UTC).bars)
    assert store.load("may", [Batch("sim", PAIR, quotes(100))], "digest").rows == 100
    assert store.load("may", [Batch("sim", PAIR, quotes(100))], "digest").repeated
    assert store.remove("may").rows == 100
    assert store.vacuum(24).paths == []


def test_writers_of_a_bucket_lose_nothing(options: dict[str, str], url: str) -> None:
    """Three writers of their own positions all land; three of the same positions land once."""
    TickStore.open(url, options)

    def write(venue: str, feed: str) -> None:
        store = TickStore.open(url, options)
        for number in range(8):
            store.append_all([Batch(venue, PAIR, quotes(50, seed=number))], {feed: number})

    threads = [threading.Thread(target=write, args=(f"own-{n}", f"own-{n}")) for n in range(3)]
    threads += [threading.Thread(target=write, args=("shared", "shared")) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    rows = {each.venue: each.rows for each in TickStore.open(url, options).coverage()}
    assert rows == {"own-0": 400, "own-1": 400, "own-2": 400, "shared": 400}


def test_a_missing_object_is_damage(options: dict[str, str], url: str) -> None:
    """An object that somebody deleted is told by verification, and fails a read."""
    store = TickStore.open(url, options)
    store.append("sim", PAIR, quotes(10, span=DAY))
    store._log.place.delete(store.files()[0].path)
    assert [problem.path for problem in store.verify()] == [store.files()[0].path]
    with pytest.raises(DamagedError):
        all_of(store)
