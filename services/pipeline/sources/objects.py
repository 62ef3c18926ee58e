"""Objects of a bucket, through pyarrow.fs: S3, Google Cloud Storage, or a folder by its URL.

Credentials are the environment's; another endpoint than the vendor's stands in the URL's query, as pyarrow has it:
s3://bucket/prefix/?endpoint_override=host:port&scheme=http.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from crossrate.files.failure import FileFailure
from services.pipeline.domain.specification import FILES_MAX, ObjectStore
from services.pipeline.sources import Fetched, Listed, Mark, SourceFailure
from services.pipeline.work import Work

PART_BYTES = 1 << 20


class Objects:
    """Objects by URL; each is copied into a folder, read and deleted."""

    def __init__(self, declared: ObjectStore, spool: Path) -> None:
        """For one job.

        Args:
            declared: which URLs.
            spool: folder of the job's own; made when it is needed.
        """
        self._declared = declared
        self._spool = spool

    def files(self) -> list[Listed]:
        """See FileSource. In order of URL; each object once."""
        from pyarrow import fs

        found: dict[str, int] = {}
        for index, url in enumerate(self._declared.urls):
            field, parts = f"source.urls[{index}]", urlsplit(url)
            below = parts.path.endswith("/")
            system, path = _system(url, field)
            try:
                wanted = fs.FileSelector(path.rstrip("/"), recursive=False) if below else [path]
                infos = system.get_file_info(wanted)
            except OSError as wrong:
                raise SourceFailure(f"{field}: {url} cannot be listed: {wrong}") from None
            here = [each for each in infos if each.type == fs.FileType.File]
            if not here:
                raise SourceFailure(f"{field}: {url} names no object")
            for each in here:
                one = urlunsplit(parts._replace(path=parts.path + quote(each.base_name))) if below else url
                found[one] = int(each.size or 0)
            if len(found) > FILES_MAX:
                raise SourceFailure(f"{field}: more than {FILES_MAX} objects; make several jobs of them")
        return [Listed(url, size) for url, size in sorted(found.items())]

    def fetch(self, uri: str, mark: Mark | None, work: Work) -> Fetched:
        """See FileSource."""
        size_max = self._declared.size_mib_max << 20
        folder = self._spool / hashlib.sha256(uri.encode()).hexdigest()[:16]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / PurePosixPath(unquote(urlsplit(uri).path)).name
        copied = 0
        try:
            system, name = _system(uri, uri)
            with system.open_input_stream(name) as stream, path.open("wb") as file:
                while data := stream.read(PART_BYTES):
                    work.check()
                    copied += len(data)
                    if copied > size_max:
                        raise FileFailure(uri, f"has more than {size_max} bytes, which `source.size_mib_max` allows")
                    file.write(data)
        except (OSError, SourceFailure) as wrong:
            raise FileFailure(uri, f"cannot be read: {wrong}") from None
        return Fetched(path, None, True)

    def discard(self) -> None:
        """See FileSource."""
        shutil.rmtree(self._spool, ignore_errors=True)


def _system(url: str, field: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    import pyarrow as pa
    from pyarrow import fs

    try:
        return fs.FileSystem.from_uri(url)
    except (pa.ArrowInvalid, OSError, NotImplementedError) as wrong:
        raise SourceFailure(f"{field}: {url} cannot be opened: {wrong}") from None
