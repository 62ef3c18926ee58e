"""What a client can do with a method beside calling it, by the fields of its request and answer alone."""

from __future__ import annotations

import enum

from google.protobuf.descriptor import FieldDescriptor

from crossrate.rpc.contract import MethodContract

PAGES = (
    ("page_token", "next_page_token"),
    ("after_sequence", "next_after_sequence"),
    ("after_sequence", "last_sequence"),
)
"""How requests and answers say which page comes next; an answer with `last_sequence` ends there."""


class Shape(enum.Enum):
    """How a method is called."""

    CALL = "one request, one answer"
    PAGES = "one request, one answer of several"
    STREAM = "one request, a stream of answers"
    FOLLOW = "one request, a stream of answers that can be resumed"
    SESSION = "a stream of requests"


def shape_of(contract: MethodContract) -> Shape:
    """The shape of a method."""
    if contract.client_streaming:
        return Shape.SESSION
    if contract.server_streaming:
        resumes = "resume_cursor" in contract.input.fields_by_name
        closes = {"position", "error", "end"} <= set(contract.output.fields_by_name)
        return Shape.FOLLOW if resumes and closes else Shape.STREAM
    return Shape.PAGES if page_fields(contract) else Shape.CALL


def page_fields(contract: MethodContract) -> tuple[str, str] | None:
    """The field of the request that names a page, and that of the answer that names the next one."""
    asked, told = contract.input.fields_by_name, contract.output.fields_by_name
    return next(((begin, end) for begin, end in PAGES if begin in asked and end in told), None)


def items_field(contract: MethodContract) -> str:
    """The field of an answer that holds what is listed: its first repeated message; "" if it has none."""
    repeated = (f for f in contract.output.fields if f.is_repeated and f.type == FieldDescriptor.TYPE_MESSAGE)
    return next((field.name for field in repeated), "")
