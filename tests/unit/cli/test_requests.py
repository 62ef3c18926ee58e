"""Requests from JSON, values from arguments, gRPC-Web frames: what the command line reads and writes."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.pricing.v1 import pricing_service_pb2 as pricing
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.cli.operate import assignments
from crossrate.cli.requests import example, parse
from crossrate.cli.show import CommandError, describe, seconds
from crossrate.cli.web import WebError, decode_frames, encode_frame, read_answer
from crossrate.rpc import errors
from crossrate.rpc.call_error import CallError
from crossrate.rpc.contract import contracts


@pytest.mark.parametrize(
    ("text", "field", "remedy"),
    [
        ('{"bas": "EUR"}', "bas", "did you mean base?"),
        ('{"BASE": "EUR"}', "BASE", "did you mean base?"),
        ('{"zzz": 1}', "zzz", "its fields are base, counter, source"),
    ],
)
def test_an_unknown_field_is_refused_with_a_suggestion(text: str, field: str, remedy: str) -> None:
    """A misspelt field is never dropped."""
    with pytest.raises(CommandError, match=f"no field {field}") as caught:
        parse(text, marketdata.GetQuoteRequest.DESCRIPTOR)
    assert caught.value.remedy == remedy
    assert caught.value.details["reason"] == "UNKNOWN_FIELD"


def test_an_unknown_field_is_found_inside_messages() -> None:
    """The error names the path to a field of an inner message."""
    with pytest.raises(CommandError, match=r"no field startDate\.yeer") as caught:
        parse('{"startDate": {"yeer": 2026}}', marketdata.ListDailyRatesRequest.DESCRIPTOR)
    assert caught.value.remedy == "did you mean year?"


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ("CALL", "did you mean PUT_OR_CALL_CALL?"),
        ("sell", "give one of PUT_OR_CALL_PUT, PUT_OR_CALL_CALL"),
    ],
)
def test_an_unknown_value_of_an_enumeration_names_those_that_there_are(given: str, remedy: str) -> None:
    """The error has the field's path and the names that may stand there."""
    text = json.dumps({"product": {"vanilla": {"putOrCall": given}}})
    with pytest.raises(
        CommandError, match=rf"product\.vanilla\.putOrCall is '{given}', which is no PutOrCall"
    ) as caught:
        parse(text, pricing.PriceRequest.DESCRIPTOR)
    assert caught.value.remedy == remedy


def test_both_spellings_of_a_field_are_read() -> None:
    """camelCase and the proto's own name mean the same."""
    message = reference.SetInstrumentStatusRequest.DESCRIPTOR
    assert parse('{"requestId": "a"}', message) == parse('{"request_id": "a"}', message)


@pytest.mark.parametrize("text", ["[1]", "{", '"base"', '{"base": 5}', '{"base": null, "counter": []}'])
def test_what_is_no_request_says_how_one_looks(text: str) -> None:
    """Broken JSON and wrong types are errors with a remedy."""
    with pytest.raises(CommandError) as caught:
        parse(text, marketdata.GetQuoteRequest.DESCRIPTOR)
    assert caught.value.remedy


@pytest.mark.parametrize("contract", contracts().values(), ids=lambda c: c.name)
def test_every_example_is_a_request(contract) -> None:
    """What `explain` suggests can be parsed."""
    parse(example(contract.input), contract.input)


def test_values_are_json_or_text_and_dots_reach_inside() -> None:
    """name=value arguments make the object that they describe."""
    made = assignments(["feed.rate_hz=20", "feed.name=fast one", "on=true", 'pairs=["EUR/USD"]', "empty="])
    assert made == {"feed": {"rate_hz": 20, "name": "fast one"}, "on": True, "pairs": ["EUR/USD"], "empty": ""}


@pytest.mark.parametrize("pairs", [["rate"], ["=5"], ["a=1", "a.b=2"]])
def test_what_is_no_assignment_is_refused(pairs: list[str]) -> None:
    """An argument without a name or value, or a value used as an object, is an error."""
    with pytest.raises(CommandError):
        assignments(pairs)


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_frames_read_back_as_written(payloads: list[bytes]) -> None:
    """Encoding and decoding of gRPC-Web frames are inverse."""
    assert [f.payload for f in decode_frames(b"".join(map(encode_frame, payloads)))] == payloads


@given(st.binary(min_size=1, max_size=50), st.data())
def test_a_cut_answer_is_an_error(payload: bytes, data: st.DataObject) -> None:
    """An answer that ends inside a frame is never read as a shorter one."""
    whole = encode_frame(payload)
    with pytest.raises(WebError):
        decode_frames(whole[: data.draw(st.integers(1, len(whole) - 1))])


def test_the_status_frame_decides() -> None:
    """A message without an OK status is no answer; a status in the headers counts too."""
    trailers = b"grpc-status:5\r\ngrpc-message:no such pair\r\n"
    with pytest.raises(WebError, match="5: no such pair"):
        read_answer(encode_frame(b"x") + struct.pack(">BI", 0x80, len(trailers)) + trailers, {})
    with pytest.raises(WebError, match="missing"):
        read_answer(encode_frame(b"x"), {})
    assert read_answer(encode_frame(b"x"), {"Grpc-Status": "0"}) == b"x"


@pytest.mark.parametrize(("value", "text"), [(0.04, "0.0 s"), (42, "42 s"), (150, "2 min"), (90_000, "25 h")])
def test_durations_are_said_as_people_say_them(value: float, text: str) -> None:
    """One number and one unit."""
    assert seconds(value) == text


def test_examples_are_valid_json() -> None:
    """They can be pasted into a shell as they are."""
    for contract in contracts().values():
        json.loads(example(contract.input))


def test_what_is_missing_is_looked_for_where_its_kind_is_listed() -> None:
    """No list of instruments for an account; what has no list of its own has its message."""
    for resource, remedy in (
        ("account", "`crossrate accounts list` shows them"),
        ("order", "`crossrate orders list ACCOUNT` shows them"),
        ("entry", ""),
    ):
        failed = errors.not_found(resource, "nobody", "look again")
        told = describe(CallError.of_status(failed.to_status(), "/crossrate.api.ledger.v1.AccountService/GetAccount"))
        assert (told["remedy"], told["message"]) == (remedy, f"no {resource} 'nobody': look again")
