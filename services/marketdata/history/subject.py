"""What requests are about, and what goes wrong with the store or the log as errors that cross a wire."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from crossrate.history.bars import BarStore
from crossrate.history.errors import HistoryError
from crossrate.rpc import errors
from services.marketdata.catalogue import Catalogue
from services.marketdata.history.asked import moment
from services.marketdata.history.queries import Range
from services.marketdata.history.reader import NothingStored, Reader, SourceUnclear, View
from services.marketdata.quote_log import LogUnavailable


class Subject:
    """Finds the quotes that a request is about."""

    def __init__(self, reader: Reader, catalogue: Catalogue) -> None:
        self._reader = reader
        self._catalogue = catalogue

    async def of(self, request: Any) -> tuple[Range | None, View]:
        """The quotes that a request is about, and the state to look in; None if there are none of a known pair."""
        name, start, end = self._range(request)
        view = await self._reader.view([name], request.source)
        source = await self._reader.blocking(self.source, view, name, request.source)
        return (Range(name, source, start, end) if source is not None else None), view

    def _range(self, request: Any) -> tuple[str, int, int]:
        start = moment("start_time", request.start_time)
        end = moment("end_time", request.end_time) if request.HasField("end_time") else time.time_ns() + 1
        if start > end:
            raise errors.invalid(errors.Violation("end_time", "it is before start_time", "history.range"))
        return f"{request.base}/{request.counter}", start, end

    async def of_bars(self, request: Any) -> tuple[Range | None, View, BarStore | None]:
        """The same for bars: where a venue's own are meant, the store that has them.

        A source that has quotes has no bars of its own; where none is named, the one that has quotes is meant, and
        only where none has, the one that has bars.
        """
        name, start, end = self._range(request)
        view = await self._reader.view([name], request.source)

        def found() -> tuple[str | None, BarStore | None]:
            try:
                return view.source(name, request.source), None
            except NothingStored:
                store = self._reader.bars()
                venues = store.venues(name) if store is not None else []
                if request.source in venues:
                    return request.source, store
                if venues and not request.source:
                    if len(venues) > 1:
                        words = f"{name} has bars of {', '.join(venues)}: name one of them"
                        raise errors.invalid(errors.Violation("source", words, "history.source")) from None
                    return venues[0], store
                return self.source(view, name, request.source), None
            except SourceUnclear:
                return self.source(view, name, request.source), None

        source, store = await self._reader.blocking(found)
        return (Range(name, source, start, end) if source is not None else None), view, store

    def source(self, view: View, name: str, source: str) -> str | None:
        """The source of a request; None if there are no quotes of a known instrument. Blocks."""
        try:
            return view.source(name, source)
        except SourceUnclear as error:
            raise errors.invalid(errors.Violation("source", str(error), "history.source")) from error
        except NothingStored:
            if source:
                raise errors.not_found("history", f"{name} from {source}") from None
            if self._catalogue.loaded and name not in self._catalogue:
                raise errors.not_found("instrument", name) from None
            return None


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """What goes wrong with the store or the log, as errors that cross a wire."""
    try:
        yield
    except LogUnavailable as error:
        raise errors.dependency_unavailable("nats") from error
    except HistoryError as error:
        raise errors.dependency_unavailable("history") from error
