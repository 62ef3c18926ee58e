"""What `crossrate data import` loads: a job's file, or the job that files, folders and URLs mean."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from crossrate.cli.show import CommandError
from crossrate.files.document import FORMS, Document, NotADocument, read

WEB, OBJECTS = ("http", "https"), ("s3", "gs", "file")


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of files that no job describes."""

    venue: str = ""
    dataset: str = ""
    shape: str = "generic"
    instrument: str = ""
    clock: str = ""
    recursive: bool = False


@dataclass(frozen=True, slots=True)
class JobText:
    """A job to send.

    Attributes:
        text: as JSON.
        name: what to call it in messages.
        source: the document it comes from, for lines.
    """

    text: str
    name: str
    source: Document = field(default_factory=lambda: Document(None))

    def line_of(self, path: str) -> int | None:
        """The line of the file in which a field of the specification stands."""
        return self.source.line_of(path.removeprefix("specification").removeprefix("."))


def job_of(what: Sequence[str], said: Said) -> JobText:
    """The job that is meant.

    Raises:
        CommandError: it is none, or something is missing.
    """
    if len(what) == 1 and Path(what[0]).suffix.lower() in FORMS and "://" not in what[0]:
        if said != Said():
            raise CommandError("a job says all of that itself", "change the job's file, or name the data's files")
        return job_of_file(Path(what[0]))
    if not said.venue:
        raise CommandError("whose rows they are is not said", "give --venue, such as --venue LMAX")
    source = _source(what, recursive=said.recursive)
    dataset = said.dataset or _dataset(what[0])
    mapped = {name: value for name, value in (("instrument", said.instrument), ("clock", said.clock)) if value}
    value = {
        "name": dataset,
        "source": source,
        "shape": said.shape,
        "map": mapped,
        "target": {"dataset": dataset, "venue": said.venue},
    }
    return JobText(json.dumps(value), what[0])


def job_of_file(file: Path) -> JobText:
    """A job's file as JSON, with paths that count from the file's folder made absolute.

    Raises:
        CommandError: it is no YAML, TOML or JSON.
    """
    try:
        document = read(file.read_text(), FORMS.get(file.suffix.lower(), "toml"))
    except (OSError, UnicodeDecodeError, NotADocument) as error:
        words = error.strerror if isinstance(error, OSError) else error
        raise CommandError(f"{file} is no job: {words}", "see `crossrate data --help` for an example") from None
    value = document.value
    source = value.get("source") if isinstance(value, dict) else None
    if isinstance(source, dict) and source.get("kind") == "files" and isinstance(source.get("paths"), list):
        folder = file.resolve().parent
        source["paths"] = [
            _plain(Path(folder, Path(each).expanduser())) if isinstance(each, str) else each for each in source["paths"]
        ]
    return JobText(json.dumps(value, default=str), str(file), document)


def _plain(path: Path) -> str:
    """A path without `..`, as far as that can be told from its words."""
    return os.path.normpath(path)


def _source(what: Sequence[str], *, recursive: bool) -> Mapping[str, Any]:
    kinds = {_kind(each) for each in what}
    if len(kinds) > 1:
        raise CommandError("files and URLs of several kinds are several imports", "run the command once for each kind")
    kind = kinds.pop()
    if kind != "files":
        return {"kind": kind, "urls": list(what)}
    paths = [_plain(Path(each).expanduser().absolute()) for each in what]
    for path in paths:
        if not Path(path).exists() and not re.search(r"[*?\[]", path):
            raise CommandError(f"{path} is not there", "name a file, a folder, a pattern in quotes, or a URL")
    return {"kind": "files", "paths": paths, "recursive": recursive}


def _kind(one: str) -> str:
    scheme = urlsplit(one).scheme if "://" in one else ""
    if scheme in WEB:
        return "http"
    if scheme in OBJECTS:
        return "object_store"
    if scheme:
        remedy = f"{', '.join(f'{each}://' for each in (*WEB, *OBJECTS))} are; a stream of NATS needs a job"
        raise CommandError(f"{one}: {scheme}:// is no source", remedy)
    return "files"


def _dataset(one: str) -> str:
    """A name for a dataset out of a path or a URL."""
    path = unquote(urlsplit(one).path) if "://" in one else str(Path(one).absolute())
    stem = PurePosixPath(path.rstrip("/")).name.lower()
    stem = re.sub(r"(\.(csv|txt|parquet|zip|gz|zst|bi5))+$", "", stem)
    name = re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-_")[:64]
    if not name:
        raise CommandError(f"{one} gives no name for a dataset", "give one with --dataset")
    return name
