"""Files that are wrong, files of web servers and buckets, and the command line, against a pipeline as a process."""

from __future__ import annotations

import asyncio
import functools
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import pytest_asyncio

from crossrate.api.pipeline.v1 import dataset_pb2, job_pb2
from tests.ending import joined
from tests.integration.conftest import eventually, free_port
from tests.integration.pipelines import MONDAY, Pipeline, job, line, pipeline, text

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SUCCEEDED, INCOMPLETE = job_pb2.JOB_STATE_SUCCEEDED, job_pb2.JOB_STATE_INCOMPLETE
LOADED, UNCHANGED = job_pb2.FILE_STATE_LOADED, job_pb2.FILE_STATE_UNCHANGED
QUARANTINED, UNREADABLE = job_pb2.FILE_STATE_QUARANTINED, job_pb2.FILE_STATE_FAILED
ROOT = Path(__file__).resolve().parents[2]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Pipeline]:
    """One pipeline for all of it; each test has a dataset of its own."""
    folder = Path(tempfile.mkdtemp(prefix="xr-"))
    try:
        async with pipeline(folder) as made:
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cut_zip() -> bytes:
    """An archive whose end is missing."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("EURUSD.csv", text(5000))
    return whole.getvalue()[:-2000]


def rows(*others: str, count: int = 2000) -> bytes:
    """A good file with other lines in its middle."""
    lines = text(count).splitlines()
    half = len(lines) // 2
    return ("\n".join([*lines[:half], *others, *lines[half:]]) + "\n").encode()


def priced(row: int, bid: object, ask: object) -> str:
    """The time of a row with other prices."""
    return f"{line(row).split(',')[0]},{bid},{ask}"


def two_clocks() -> bytes:
    """Rows of which the second half was written by a clock five hours behind."""
    second = text(1000, MONDAY - timedelta(hours=5) + timedelta(seconds=1000)).splitlines()[1:]
    return (text(1000) + "\n".join(second) + "\n").encode()


def unsorted() -> bytes:
    """Every tenth row comes three rows late."""
    lines = text(2000).splitlines()
    head, body = lines[0], lines[1:]
    for place in range(0, len(body) - 3, 10):
        body.insert(place + 3, body.pop(place))
    return "\n".join([head, *body]).encode()


def doubled() -> bytes:
    """Every row stands twice."""
    head, *body = text(1000).splitlines()
    return "\n".join([head, *(each for row in body for each in (row, row))]).encode()


def crossed() -> bytes:
    """Every other row has its bid above its ask."""
    head, *body = text(1000).splitlines()
    return "\n".join([head, *(priced(n, 1.09, 1.08) if n % 2 else row for n, row in enumerate(body))]).encode()


BAD = {
    "cut off.zip": (cut_zip, UNREADABLE, "cut"),
    "delimiter.csv": (lambda: text(100).replace(",", ";").encode(), UNREADABLE, "delimiter"),
    "clocks.csv": (two_clocks, QUARANTINED, "leaps_max"),
    "endless.csv": (lambda: b"1" * (3 << 20), UNREADABLE, "line 1"),
    "unsorted.csv": (unsorted, QUARANTINED, "out_of_order_share_max"),
    "doubled.csv": (doubled, QUARANTINED, "duplicates_share_max"),
    "crossed.csv": (crossed, QUARANTINED, "crossed_share_max"),
    "GBPUSD.csv": (lambda: text(100).encode(), UNREADABLE, "GBP/USD"),
    "empty.csv": (lambda: b"", UNREADABLE, "empty"),
}


@pytest.mark.parametrize("name", list(BAD))
async def test_a_bad_file_is_refused_and_the_store_is_as_it_was(name: str, running: Pipeline, tmp_path: Path) -> None:
    """The file says what is wrong with it, the good one beside it is loaded, and not a row of the bad one is there."""
    make, state, words = BAD[name]
    (tmp_path / "a.csv").write_text(text(50, MONDAY - timedelta(days=3)))
    assert (await running.run(job("bad", tmp_path / "a.csv"))).state == SUCCEEDED
    before = running.history._log.refresh().version, running.rows("bad")
    (tmp_path / name).write_bytes(make())
    found = await running.run(job("bad", tmp_path / name))
    assert found.state == INCOMPLETE
    (file,) = await running.files(found.id)
    assert file.state == state, file
    assert words in file.message
    assert (running.history._log.refresh().version, running.rows("bad")) == before
    if state == QUARANTINED:
        (report,) = await running.reports(found.id)
        assert report.decision == dataset_pb2.DECISION_QUARANTINE
        assert words in [each.rule for each in report.findings if not each.holds]
    await running.call("DeleteDataset", dataset="bad", comment="the next test begins anew")


async def test_bad_lines_are_rejected_with_their_numbers(running: Pipeline, tmp_path: Path) -> None:
    """NaN, a price below 0, a price that is no number, too few columns, a line without end: each with its line and its
    reason, cut to 200 characters; the other rows are loaded, and one rejected line too many quarantines all."""
    others = [priced(1000, "nan", 1.08), priced(1000, -1.08, 1.08), priced(1000, "x", 1.08), "2024", "9" * 100_000]
    path = tmp_path / "a.csv"
    path.write_bytes(rows(*others))
    found = await running.run(job("lines", path))
    assert found.state == INCOMPLETE
    assert "rejected_share_max" in (await running.files(found.id))[0].message
    assert running.rows("lines") == 0
    found = await running.run(job("lines", path, quality={"rejected_share_max": 0.01}))
    assert (found.state, found.progress.rows_loaded, found.progress.rows_rejected) == (SUCCEEDED, 2000, 5)
    kept = await running.rejected(found.id)
    assert [each.line for each in kept] == [1001, 1002, 1003, 1004, 1005]
    assert all(each.reason and len(each.text) <= 200 for each in kept)
    assert {each.member for each in kept} == {str(path)}
    assert (await running.call("ListRejectedRows", job_id=found.id, page_size=2)).rejected_count == 5


async def test_pages_of_rejected_rows_go_on(running: Pipeline, tmp_path: Path) -> None:
    """Of a file the first 1,000 are kept and all are counted; pages have each once."""
    path = tmp_path / "a.csv"
    path.write_bytes(rows(*["nonsense"] * 1500))
    found = await running.run(job("pages", path, quality={"rejected_share_max": 1}))
    token, lines = "", []
    while True:
        answer = await running.call("ListRejectedRows", job_id=found.id, page_size=300, page_token=token)
        lines += [each.line for each in answer.rows]
        token = answer.next_page_token
        if not token:
            break
    assert (lines, answer.rejected_count) == (list(range(1001, 2001)), 1500)


class Web(BaseHTTPRequestHandler):
    """A web server whose files have an ETag and may be asked for in parts; it may break off."""

    protocol_version = "HTTP/1.1"

    def __init__(self, site: Site, *arguments: object) -> None:
        self.site = site
        super().__init__(*arguments)

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        """Gives a file as RFC 9110 says."""
        site, content = self.site, self.site.files.get(self.path)
        site.asked.append((self.path, self.headers.get("If-None-Match"), self.headers.get("Range")))
        if content is None:
            self.send_error(404)
            return
        etag, begin, status = f'"{hash(content)}"', 0, 200
        if self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.send_header("ETag", etag)
            self.end_headers()
            return
        asked = self.headers.get("Range")
        if asked and self.headers.get("If-Range") == etag:
            begin, status = int(asked.removeprefix("bytes=").rstrip("-")), 206
        self.send_response(status)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(content) - begin))
        if status == 206:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        rest = content[begin:]
        if site.breaks:
            site.breaks -= 1
            self.wfile.write(rest[: len(rest) // 2])
            self.wfile.flush()
            self.close_connection = True
            return
        self.wfile.write(rest)


class Site:
    """What a web server has, and what it was asked: path, If-None-Match, Range."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None, str | None]] = []
        self.breaks = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", free_port()), functools.partial(Web, self))
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def url(self, path: str) -> str:
        """The URL of a path."""
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def close(self) -> None:
        """Ends it."""
        self.server.shutdown()
        joined(self.thread, "the web server")
        self.server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    """A web server on loopback."""
    made = Site()
    yield made
    made.close()


async def test_a_web_file_is_fetched_once_and_gone_on_with(running: Pipeline, site: Site) -> None:
    """A transfer that broke off twice goes on by Range; a file that did not change is asked for by its ETag and not
    sent; one that changed is refused as any other; one that is not there says 404; nothing stays in the spool."""
    site.files["/EURUSD.csv"] = text(20_000).encode()
    site.breaks = 2
    spec = job("web", source={"kind": "http", "urls": [site.url("/EURUSD.csv")]})
    found = await running.run(spec)
    assert (found.state, found.progress.rows_loaded) == (SUCCEEDED, 20_000)
    assert found.progress.bytes_total == found.progress.bytes_done == len(site.files["/EURUSD.csv"])
    half = len(site.files["/EURUSD.csv"]) // 2
    assert [each[2] for each in site.asked] == [None, f"bytes={half}-", f"bytes={half + (2 * half - half) // 2}-"]
    again = await running.run(spec)
    assert (again.state, again.progress.files_unchanged) == (SUCCEEDED, 1)
    assert site.asked[-1][1] is not None
    assert len(site.asked) == 4
    site.files["/EURUSD.csv"] = text(30_000).encode()
    changed = await running.run(spec)
    assert "with other content" in (await running.files(changed.id))[0].message
    lost = await running.run(job("web", source={"kind": "http", "urls": [site.url("/none.csv")]}))
    assert "the server answers 404" in (await running.files(lost.id))[0].message
    assert running.rows("web") == 20_000
    spool = running.processes.place.state / "pipeline"
    await eventually(lambda: list(spool.iterdir()) == [])


async def test_objects_are_read_through_their_urls(running: Pipeline, tmp_path: Path) -> None:
    """A prefix means every object below it. The URL of a folder stands for a bucket here."""
    (tmp_path / "a.csv").write_text(text(300))
    (tmp_path / "b.csv").write_text(text(300, MONDAY + timedelta(hours=2)))
    spec = job("objects", source={"kind": "object_store", "urls": [f"file://{tmp_path}/"]})
    found = await running.run(spec)
    assert (found.state, found.progress.rows_loaded, found.progress.files_loaded) == (SUCCEEDED, 600, 2)
    assert (await running.run(spec)).progress.files_unchanged == 2


async def test_the_command_line_loads_reports_and_takes_out(running: Pipeline, tmp_path: Path) -> None:
    """A YAML job with paths of its own folder, and a file without a job; answers on standard output, progress on
    standard error, exit codes; what is wrong with a job has its line."""
    quotes = tmp_path / "quotes"
    quotes.mkdir()
    (quotes / "EURUSD.csv").write_bytes(rows("nonsense"))
    spec = tmp_path / "job.yaml"
    spec.write_text(
        "name: by-hand\nsource:\n  kind: files\n  paths: [quotes/*.csv]\nshape: generic\n"
        "target: {dataset: by-hand, venue: HAND}\n"
    )
    asked = functools.partial(commanded, running)
    assert "is right" in (await asked("import", str(spec), "--check"))[1]
    assert json.loads((await asked("import", str(spec), "--dry-run", "--json"))[0])["progress"]["rowsRead"] == "2000"
    answer, progress = await asked("import", str(spec), "--json")
    assert json.loads(answer)["progress"]["rowsLoaded"] == "2000"
    assert json.loads(progress.splitlines()[-1])["filesLoaded"] == 1
    assert "1 unchanged" in (await asked("import", str(spec)))[0]
    (latest,) = [each["id"] for each in json.loads((await asked("list", "--runs", "--json", "-n", "1"))[0])]
    assert json.loads((await asked("show", "last", "--json"))[0])["job"]["id"] == latest
    loaded = json.loads(answer)["id"]
    assert "nonsense" in (await asked("rejected", loaded))[0]
    for name in (loaded, "by-hand"):
        assert "EUR/USD" in (await asked("report", name))[0]
        assert "good" in (await asked("report", name))[0]
    assert "by-hand" in (await asked("list"))[0]
    shown = (await asked("show", "by-hand", "--rows", "2"))[0]
    for words in ("EURUSD.csv", loaded, "2,002 of 1 files, 1 rejected", "files: ", "…"):
        assert words in shown, shown
    facts = json.loads((await asked("show", "by-hand", "--json"))[0])
    assert [each["rows"] for each in facts["files"]] == ["2000"]
    assert (await asked("cancel", loaded))[1].strip() == f"{loaded} has ended"
    plain = ["import", str(quotes / "EURUSD.csv"), "--venue", "HAND", "--dataset", "plain", "--json"]
    assert json.loads((await asked(*plain))[0])["progress"]["rowsLoaded"] == "2000"
    (quotes / "EURUSD.csv").write_bytes(rows())
    assert "with other content" in (await asked("import", str(spec), code=1))[1]
    assert "2,000 rows were taken out" in (await asked("delete", "by-hand", "-m", "a test"))[1]
    assert "0 files, 0 bytes would be deleted" in (await asked("vacuum", "--dry-run"))[1]
    spec.write_text(spec.read_text().replace("generic", "unheard_of"))
    wrong = (await asked("import", str(spec), code=1))[1]
    assert "specification.shape" in wrong
    assert "(line 5)" in wrong
    assert "no dataset 'by-hand'" in (await asked("show", "by-hand", code=1))[1]


async def commanded(running: Pipeline, *arguments: str, code: int = 0) -> tuple[str, str]:
    """What `crossrate data …` says on standard output and standard error."""
    place = running.processes.place
    environment = os.environ | {"CROSSRATE_STATE": str(place.state), "CROSSRATE_RUN": str(place.run), "COLUMNS": "200"}
    command = [str(Path(sys.executable).with_name("crossrate")), "data", *arguments]
    run = functools.partial(subprocess.run, capture_output=True, text=True, env=environment, timeout=60, check=False)
    done = await asyncio.to_thread(run, command)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout, done.stderr
