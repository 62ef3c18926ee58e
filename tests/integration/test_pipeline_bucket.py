"""Files of a bucket, against a real object store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from crossrate.files.failure import FileFailure
from services.pipeline.domain.progress import Progress
from services.pipeline.domain.specification import ObjectStore
from services.pipeline.sources import SourceFailure
from services.pipeline.sources.objects import Objects
from services.pipeline.work import Work
from tests.integration.test_history_bucket import options

pytestmark = pytest.mark.integration

__all__ = ["options"]


def test_a_prefix_of_a_bucket_is_listed_and_fetched(
    options: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Objects right below the prefix, in order, byte by byte; what is too large or not there is refused by name."""
    from pyarrow import fs

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, options[name])
    query = f"endpoint_override={urlsplit(options['AWS_ENDPOINT_URL']).netloc}&scheme=http"
    bucket = "s3://ticks"
    system, root = fs.FileSystem.from_uri(f"{bucket}/quotes?{query}")
    for name, content in {"b 1.csv": b"two", "a.csv": b"one", "below/c.csv": b"three"}.items():
        with system.open_output_stream(f"{root}/{name}") as stream:
            stream.write(content)
    source = Objects(ObjectStore(kind="object_store", urls=(f"{bucket}/quotes/?{query}",)), tmp_path)
    listed = source.files()
    assert [(urlsplit(each.uri).path, each.size_bytes) for each in listed] == [
        ("/quotes/a.csv", 3),
        ("/quotes/b%201.csv", 3),
    ]
    work = Work(Progress())
    found = [source.fetch(each.uri, None, work) for each in listed]
    assert [each.path.read_bytes() for each in found if each.path] == [b"one", b"two"]
    assert [each.path.name for each in found if each.path] == ["a.csv", "b 1.csv"]
    with pytest.raises(SourceFailure, match="names no object"):
        Objects(ObjectStore(kind="object_store", urls=(f"{bucket}/none.csv?{query}",)), tmp_path).files()
    with pytest.raises(FileFailure, match="cannot be read"):
        source.fetch(f"{bucket}/none.csv?{query}", None, work)
