"""The source of a job, within what its caller may have read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from crossrate.events import Events
from services.pipeline.domain.specification import Files, Http, Nats, ObjectStore, Specification
from services.pipeline.settings import Settings
from services.pipeline.sources import FileSource, SourceFailure
from services.pipeline.sources.files import LocalFiles
from services.pipeline.sources.http import WebFiles
from services.pipeline.sources.objects import Objects
from services.pipeline.sources.stream import StreamSource
from services.pipeline.store.jobs import Job


class Sources:
    """Makes sources.

    Args:
        settings: what callers from the mesh may have read.
        state: the state folder.
        events: NATS.
        streams: that the topology lets the service read.
    """

    def __init__(
        self, settings: Settings, state: Path, events: Events | None = None, streams: Sequence[str] = ()
    ) -> None:
        self._settings = settings
        self._state = state
        self._events = events
        self._streams = tuple(streams)

    def check(self, spec: Specification, *, is_local: bool) -> None:
        """Refuses what the caller may not have read.

        Raises:
            SourceFailure: with the path of the field.
        """
        source = spec.source
        if isinstance(source, Nats):
            if source.stream not in self._streams or self._events is None:
                known = ", ".join(self._streams) or "none"
                raise SourceFailure(
                    f"source.stream: {source.stream} is none of the streams that the topology lets pipeline read "
                    f"({known}); services.pipeline.consumes names them"
                )
            return
        if is_local or isinstance(source, Files):
            return  # of files, what their paths mean is looked at when they are listed
        if isinstance(source, Http):
            for index, url in enumerate(source.urls):
                if urlsplit(url).hostname not in self._settings.http_hosts:
                    raise SourceFailure(
                        f"source.urls[{index}]: {urlsplit(url).hostname} is none of the hosts that callers from "
                        "the mesh may have read; CROSSRATE_PIPELINE_HTTP_HOSTS names them"
                    )
            return
        for index, url in enumerate(source.urls):
            if "?" in url:
                raise SourceFailure(f"source.urls[{index}]: the local operator alone may name an endpoint")
            if not url.startswith(self._settings.object_urls or ("\0",)):
                raise SourceFailure(
                    f"source.urls[{index}]: {url} begins with none of the URLs that callers from the mesh may "
                    "have read; "
                    "CROSSRATE_PIPELINE_OBJECT_URLS names them"
                )

    def __call__(self, job: Job, spec: Specification) -> FileSource | StreamSource:
        """The source of a job.

        Raises:
            SourceFailure: its caller may not have it read.
        """
        self.check(spec, is_local=job.is_local)
        source = spec.source
        if isinstance(source, Nats):
            assert self._events is not None, "it was checked"
            return StreamSource(source, self._events)
        if isinstance(source, Files):
            roots = self._settings.roots or (self._state / "inbox",)
            return LocalFiles(source, None if job.is_local else roots)
        spool = self._state / "pipeline" / job.id
        if isinstance(source, ObjectStore):
            return Objects(source, spool)
        return WebFiles(source, spool)
