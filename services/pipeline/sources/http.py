"""Files of web servers: asked for on condition, gone on with where they broke off."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from crossrate.files.failure import FileFailure
from services.pipeline.domain.specification import Http
from services.pipeline.sources import Fetched, Listed, Mark
from services.pipeline.work import Work

PART_BYTES = 1 << 18
PAUSE_S = 0.5
"""Between two attempts; doubled each time, up to PAUSE_S_MAX."""
PAUSE_S_MAX = 15.0
GIVEN_UP = (400, 401, 403, 404, 405, 410, 451)
"""Statuses that another attempt does not change."""


class _SameScheme(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but not from one host to another: what a job may have read is decided by its URL."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        """See urllib."""
        if urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            raise urllib.error.HTTPError(req.full_url, code, f"leads to another host: {newurl}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Broken(Exception):
    """A transfer broke off; another attempt may go on."""


class WebFiles:
    """Files by URL. What was fetched is kept in a folder until it is loaded, so that a later attempt goes on."""

    def __init__(self, declared: Http, spool: Path) -> None:
        """For one job.

        Args:
            declared: which URLs.
            spool: folder of the job's own; made when it is needed.
        """
        self._declared = declared
        self._spool = spool
        self._open = urllib.request.build_opener(_SameScheme, urllib.request.ProxyHandler({})).open

    def files(self) -> list[Listed]:
        """See FileSource. Sizes are known when the files are there."""
        return [Listed(url, 0) for url in self._declared.urls]

    def fetch(self, uri: str, mark: Mark | None, work: Work) -> Fetched:
        """See FileSource."""
        name = PurePosixPath(unquote(urlsplit(uri).path)).name
        folder = self._spool / hashlib.sha256(uri.encode()).hexdigest()[:16]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path, pause_s = folder / name, PAUSE_S
        for attempt in range(1, self._declared.attempts_max + 1):
            work.check()
            try:
                return self._attempt(uri, mark, path, work)
            except _Broken as broken:
                if attempt == self._declared.attempts_max:
                    raise FileFailure(uri, f"broke off {attempt} times, the last time: {broken}") from None
            until = time.monotonic() + pause_s
            while time.monotonic() < until:
                work.check()
                time.sleep(0.05)
            pause_s = min(2 * pause_s, PAUSE_S_MAX)
        raise AssertionError("the last attempt returns or raises")

    def discard(self) -> None:
        """See FileSource."""
        shutil.rmtree(self._spool, ignore_errors=True)

    def _attempt(self, uri: str, mark: Mark | None, path: Path, work: Work) -> Fetched:
        part, said = path.with_name(path.name + ".part"), path.with_name(path.name + ".said")
        if path.exists() and said.exists():
            return Fetched(path, _kept(said), True)
        have = part.stat().st_size if part.exists() and said.exists() else 0
        headers = {"User-Agent": "crossrate-pipeline", "Accept-Encoding": "identity"}
        validator = ""
        if have:
            kept = _kept(said)
            validator = kept.etag if kept.etag and not kept.etag.startswith("W/") else kept.last_modified
        if validator:
            headers |= {"Range": f"bytes={have}-", "If-Range": validator}
        elif mark is not None:
            headers |= {"If-None-Match": mark.etag} if mark.etag else {}
            headers |= {"If-Modified-Since": mark.last_modified} if mark.last_modified else {}
        with _failures(uri):
            try:
                answer = self._open(urllib.request.Request(uri, headers=headers), timeout=self._declared.timeout_s)
            except urllib.error.HTTPError as error:
                if error.code == 304 and mark is not None:
                    return Fetched(None, mark)
                if error.code == 416:
                    part.unlink(missing_ok=True)
                    raise _Broken("the server does not have the rest; it is begun anew") from None
                raise
            with answer:
                found = Mark(answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", ""))
                onward = answer.status == 206 and _begins_at(answer.headers.get("Content-Range", ""), have)
                if not onward:
                    have = 0
                said.write_text(json.dumps([found.etag, found.last_modified]))
                self._take(answer, part, have, work, uri)
        part.replace(path)
        return Fetched(path, found, True)

    def _take(self, answer: http.client.HTTPResponse, part: Path, have: int, work: Work, uri: str) -> None:
        """Writes the answer's bytes behind those that are there."""
        size_max = self._declared.size_mib_max << 20
        length = answer.headers.get("Content-Length")
        if length is not None and length.isdigit() and have + int(length) > size_max:
            raise FileFailure(uri, f"has {have + int(length)} bytes, `source.size_mib_max` allows {size_max}")
        got = 0
        with part.open("r+b" if have else "wb") as file:
            file.seek(have)
            while data := answer.read(PART_BYTES):
                work.check()
                file.write(data)
                got += len(data)
                if have + got > size_max:
                    raise FileFailure(uri, f"has more than {size_max} bytes, which `source.size_mib_max` allows")
            file.truncate()
        if length is not None and length.isdigit() and got < int(length):
            raise _Broken(f"{got} of {length} bytes came")


@contextlib.contextmanager
def _failures(uri: str) -> Iterator[None]:
    """Errors of the network as what they mean for the file."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in GIVEN_UP or 300 <= error.code < 400:
            raise FileFailure(uri, f"the server answers {error.code} {error.reason}") from None
        raise _Broken(f"the server answers {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise _Broken(f"the server cannot be reached: {error.reason}") from None
    except http.client.HTTPException as error:
        raise _Broken(f"the answer is broken: {type(error).__name__}: {error}") from None
    except TimeoutError:
        raise _Broken("the server is silent") from None
    except ConnectionError as error:
        raise _Broken(f"the connection broke: {error}") from None


def _kept(said: Path) -> Mark:
    etag, last_modified = json.loads(said.read_text())
    return Mark(etag, last_modified)


def _begins_at(content_range: str, have: int) -> bool:
    return content_range.replace(" ", "").startswith(f"bytes{have}-")
