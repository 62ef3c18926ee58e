"""Calls that proxies answered by themselves or could not bring to anybody, kept for a while. They come by Envoy's
access log (ALS), which tells the log of audit of refused ones already."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable
from typing import Any

from crossrate.api.control.v1 import observability_pb2 as pb
from crossrate.rpc.metrics import CODE_NAMES
from services.control.access_log import STATUS
from services.control.observe.drills import Drills, told

KEPT_MAX = 2048
_CODE_NAMES = {str(code): name for code, name in CODE_NAMES.items()}
_BY_DETAILS = (
    ("via_upstream", "passed on what the service answered"),
    ("rbac_access_denied", "contract or topology let this caller not in; `crossrate authz METHOD` shows who may"),
    ("jwt_authn_access_denied", "the token was refused, or there was none"),
    ("fault_filter_abort", "a fault for a drill answered it; `crossrate fault list` shows which are in force"),
    ("no_healthy_upstream", "no instance serves; `crossrate status` shows why"),
    ("upstream_reset_before_response_started", "the instance was lost before it answered"),
    ("upstream_response_timeout", "the deadline passed before an instance answered"),
    ("max_duration_timeout", "the deadline passed"),
    ("route_not_found", "no method has this path"),
)
_BY_FLAG = (
    ("delay_injected", "a fault for a drill held it up; `crossrate fault list` shows which are in force"),
    ("fault_injected", "a fault for a drill answered it; `crossrate fault list` shows which are in force"),
    ("no_healthy_upstream", "no instance serves; `crossrate status` shows why"),
    ("upstream_connection_failure", "no connection to an instance could be made"),
    ("upstream_connection_termination", "the connection to the instance was lost"),
    ("upstream_retry_limit_exceeded", "every attempt failed"),
    ("duration_timeout", "the deadline passed"),
)


class ProxyAnswers:
    """Keeps the newest KEPT_MAX.

    Args:
        method_of: the method's name of an entry's request; "" if its path is none's.
        actor_of: who called, as far as the proxy proved it.
        drills: faults that may have met a call.
    """

    def __init__(self, method_of: Callable[[Any], str], actor_of: Callable[[Any], str], drills: Drills) -> None:
        self._method_of, self._actor_of, self._drills = method_of, actor_of, drills
        self._kept: deque[tuple[str, str, Any]] = deque(maxlen=KEPT_MAX)

    def take(self, listener: str, entry: Any) -> None:
        """Keeps one entry of the log."""
        self._kept.append((entry.request.request_id, listener, entry))

    def find(self, request_id: str) -> list[pb.ProxyAnswer]:
        """What was kept under a request id, in order of time."""
        found = [self._answer(listener, entry) for id, listener, entry in self._kept if id == request_id]
        return sorted(found, key=lambda answer: answer.begin_time.ToNanoseconds())

    def _answer(self, listener: str, entry: Any) -> pb.ProxyAnswer:
        common, response = entry.common_properties, entry.response
        status = response.response_trailers.get(STATUS) or response.response_headers.get(STATUS, "")
        answer = pb.ProxyAnswer(
            listener=listener,
            method=self._method_of(entry.request),
            caller=self._actor_of(common),
            code=_CODE_NAMES.get(status) or str(response.response_code.value or ""),
            details=response.response_code_details,
            explanation=_explanation(response.response_code_details, common.response_flags),
        )
        if common.response_flags.delay_injected or common.response_flags.fault_injected:
            answer.explanation += self._fault(listener, answer, common.start_time.ToDatetime(dt.UTC))
        answer.begin_time.FromNanoseconds(common.start_time.ToNanoseconds())
        answer.elapsed.FromNanoseconds(common.time_to_last_downstream_tx_byte.ToNanoseconds())
        return answer

    def _fault(self, listener: str, answer: pb.ProxyAnswer, at: dt.datetime) -> str:
        service = listener.partition("|")[2]
        fault = self._drills.met(service, f"/{answer.method}", answer.caller, at)
        return "" if fault is None else f"; {told(fault)}"


def _explanation(details: str, flags: Any) -> str:
    said = [words for flag, words in _BY_FLAG if getattr(flags, flag, False)]
    said += [words for start, words in _BY_DETAILS if details.startswith(start)]
    return "; ".join(dict.fromkeys(said)) or f"it says {details or 'nothing'}"
