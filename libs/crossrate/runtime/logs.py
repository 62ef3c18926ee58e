"""Structured logs: one JSON object a line on standard error, each with the ids by which it is found again.

Every line carries `time` (UTC, RFC 3339), `level`, `event`, `service`, `instance` and, while a call or an event is
being handled, what the work in hand says of itself (`request_id`, `trace_id`, `caller`, `method`). Lines of libraries
that log through the standard library take the same form.
"""

from __future__ import annotations

import contextvars
import logging
import sys
from collections.abc import Mapping
from typing import Protocol

import structlog

EVENT_CHARS_MAX = 16_384
"""Longest text of one value: a stuck traceback must not fill the disk."""


class Correlated(Protocol):
    """Work in hand that can say how its log lines are found again: a call, an event."""

    def log_fields(self) -> Mapping[str, str]:
        """The ids of this work; values are short."""
        ...


correlation: contextvars.ContextVar[Correlated | None] = contextvars.ContextVar("correlation", default=None)
"""The work in hand. Whoever begins some sets it; every log line written meanwhile carries its ids."""


class _StandardError:
    """Standard error as it is when a line is written. Where a line cannot be written (the disk is full, the reader has
    gone) it is lost and counted: the work goes on."""

    def __init__(self) -> None:
        self.lost = 0

    def write(self, text: str) -> int:
        try:
            return sys.stderr.write(text)
        except (OSError, ValueError):
            self.lost += 1
            return 0

    def flush(self) -> None:
        try:
            sys.stderr.flush()
        except (OSError, ValueError):
            self.lost += 1


def _add_correlation(_logger, _method, event: dict) -> dict:
    work = correlation.get()
    if work is not None:
        for key, value in work.log_fields().items():
            event.setdefault(key, value)
    return event


def _bound(_logger, _method, event: dict) -> dict:
    for key, value in event.items():
        if isinstance(value, str) and len(value) > EVENT_CHARS_MAX:
            event[key] = value[:EVENT_CHARS_MAX] + "…"
    return event


def configure(service: str, instance: str, level: str = "INFO") -> structlog.stdlib.BoundLogger:
    """Sets up logging for this process and returns its logger.

    Args:
        service: the service's one word.
        instance: this process's name, "reference-1".
        level: the lowest level that is written, by its name in the standard library.
    """

    def add_names(_logger, _method, event: dict) -> dict:
        event["service"] = service
        event["instance"] = instance
        return event

    shared = [
        structlog.stdlib.add_log_level,
        add_names,
        _add_correlation,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.stdlib.ExtraAdder(["logger"]),
        structlog.processors.format_exc_info,
        _bound,
    ]
    output = _StandardError()
    lowest = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(default=str, ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(lowest),
        logger_factory=structlog.WriteLoggerFactory(file=output),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(lowest, logging.WARNING))
    return structlog.get_logger()
