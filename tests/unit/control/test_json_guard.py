"""What the JSON guard lets pass, what it refuses, and in which words."""

from __future__ import annotations

import pytest

from crossrate.rpc.contract import ContractError, contracts, read_contracts
from services.control.json_guard import guard_script
from tests.contract.dynamic import compile_file
from tests.unit.control.guard import ORDERS, Guard, place, violations


def test_the_answer_is_a_status_with_the_field_and_the_nearest_name(guard: Guard) -> None:
    """A misspelt stop-loss, deep in an order, is named with its path, and so is what was meant."""
    status, answer = place(guard, {"order": {"legs": [{}, {"stopLos": "1.1"}]}})
    assert status == 400
    assert answer["code"] == 3
    assert answer["message"] == 'unknown field "order.legs[1].stopLos"; did you mean "stopLoss"?'
    info, bad_request = answer["details"]
    assert info == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "UNKNOWN_FIELD",
        "domain": "crossrate",
        "metadata": {"field": "order.legs[1].stopLos"},
    }
    assert bad_request["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert bad_request["fieldViolations"] == [{"field": "order.legs[1].stopLos", "description": answer["message"]}]


def test_every_unknown_field_is_reported(guard: Guard) -> None:
    """All unknown fields are in the details, wherever they stand; the message counts the ones that it leaves out."""
    body = {"requestID": "x", "order": {"namedLegs": {"near": {"hedges": [{"sid": 1}]}}, "expireTime": {"sec": 1}}}
    refused = place(guard, body)
    assert [field for field, _ in violations(refused)] == [
        "requestID",
        'order.namedLegs["near"].hedges[0].sid',
        "order.expireTime.sec",
    ]
    assert refused[1]["message"] == 'unknown field "requestID"; did you mean "requestId"? (and 2 more)'


def test_the_list_of_violations_is_bounded(guard: Guard) -> None:
    """A thousand unknown fields are 32 violations and a count."""
    refused = place(guard, {f"field{n}": n for n in range(1000)})
    assert len(violations(refused)) == 32
    assert refused[1]["message"].endswith("(and 999 more)")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"requestId": "x", "order": None},
        {"request_id": "x", "order": {"named_legs": {"anything": {"stop_loss": "1"}}, "levels": {"support": 1.2}}},
        {"order": {"notes": {"anything": [{"at": {"all": 1}}]}, "extra": {"x": [1]}}},
        {"order": {"limitPrice": "1.1", "market": None, "schedule": None}},
        {"order": {"legs": [{"valueDate": {"year": 2026, "month": 1, "day": 2}, "side": "SIDE_BUY"}]}},
        {"order": {"expireTime": "2026-01-01T00:00:00Z", "lifetime": "3s", "mutable": "legs,tags", "cap": 1.5}},
        b' \r\n\t{ "requestId" : "\\u00e9\\ud83d\\ude00\\/\\b" , "order" : { } }\n',
        b'{"\\u0072equestId": "x"}',
        b'{"order":{"levels":{"a":-0.0e+10,"b":1E5,"c":0}}}',
    ],
)
def test_what_the_contract_knows_passes(guard: Guard, body: object) -> None:
    """Both spellings of a name, nulls, maps, free-form values and well-known types pass untouched."""
    assert place(guard, body) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b" ", "the body ends too early (byte 1)"),
        (b"[]", "no object begins here (byte 0)"),
        (b'"text"', "no object begins here (byte 0)"),
        (b'{"order": {}} x', "something follows the JSON value (byte 14)"),
        (b'{"order": {},}', "a field name in double quotes is missing (byte 13)"),
        (b"{'order': {}}", "a field name in double quotes is missing (byte 1)"),
        (b"{order: {}}", "a field name in double quotes is missing (byte 1)"),
        (b'{"order" {}}', "a colon is missing (byte 9)"),
        (b'{"order": {} "requestId": 1}', "a comma or the end of the object is missing (byte 13)"),
        (b'{"order": {"tags": ["a" "b"]}}', "a comma or the end of the array is missing (byte 24)"),
        (b'{"order": {"tags": ["a",]}}', "no JSON value begins here (byte 24)"),
        (b'{"requestId": 01}', "not a number (byte 14)"),
        (b'{"requestId": 1.}', "not a number (byte 14)"),
        (b'{"requestId": -}', "not a number (byte 14)"),
        (b'{"requestId": +1}', "no JSON value begins here (byte 14)"),
        (b'{"requestId": NaN}', "no JSON value begins here (byte 14)"),
        (b'{"requestId": nul}', "no JSON value begins here (byte 14)"),
        (b'{"requestId": "a\nb"}', "a control character in a string (byte 16)"),
        (b'{"requestId": "\\x"}', "unknown escape (byte 15)"),
        (b'{"requestId": "\\u12"}', "a \\u escape has four hexadecimal digits (byte 17)"),
        (b'{"requestId": "\\ud800"}', "half a surrogate pair (byte 15)"),
        (b'{"requestId": "\\udc00"}', "half a surrogate pair (byte 15)"),
        (b'{"requestId": "open', "a string without an end (byte 14)"),
        (b'{"requestId": "\xc0\xaf"}', "not UTF-8 (byte 15)"),
        (b'{"requestId": "\xed\xa0\x80"}', "not UTF-8 (byte 15)"),
        (b'{"requestId": "\xf5\x80\x80\x80"}', "not UTF-8 (byte 15)"),
        (b'\xef\xbb\xbf{"order": {}}', "no object begins here (byte 0)"),
        (b'{"requestId": "x"', "a comma or the end of the object is missing (byte 17)"),
        (b'{"order": // comment\n{}}', "no JSON value begins here (byte 10)"),
        (b'{"order":{"extra":' + b"[" * 40 + b"]" * 40 + b"}}", "nested deeper than 32 levels (byte 48)"),
    ],
)
def test_what_is_not_strict_json_is_refused_with_its_position(guard: Guard, text: bytes, problem: str) -> None:
    """The first byte that is wrong is named, from 0."""
    status, answer = place(guard, text)
    assert status == 400
    assert answer["code"] == 3
    assert answer["message"] == f"the body cannot be read as JSON: {problem}"
    assert answer["details"][0]["metadata"]["position"] in problem


@pytest.mark.parametrize(
    ("body", "field", "description"),
    [
        (b'{"requestId":"a","requestId":"b"}', "requestId", "the field is given twice"),
        (b'{"requestId":"a","request_id":"b"}', "request_id", "the field is given twice"),
        (b'{"order":{"levels":{"a":1,"\\u0061":2}}}', 'order.levels["a"]', "the key is given twice"),
        (b'{"order":{"notes":{"a":1,"a":2}}}', "order.notes.a", "the key is given twice"),
        (
            b'{"order":{"limitPrice":"1","market":{}}}',
            "order.market",
            '"limitPrice" and "market" exclude each other',
        ),
    ],
)
def test_what_one_reader_takes_first_and_another_last_is_refused(
    guard: Guard, body: bytes, field: str, description: str
) -> None:
    """A repeated key, two spellings of one field and two members of a oneof are errors."""
    refused = place(guard, body)
    assert violations(refused) == [(field, description)]
    assert refused[1]["message"] == f"{field}: {description}"
    assert refused[1]["details"][0]["reason"] == "INVALID_REQUEST"


@pytest.mark.parametrize("number", [b"1e400", b"-2E+309", b"9" * 310])
def test_a_number_that_no_double_holds_is_refused_by_field(guard: Guard, number: bytes) -> None:
    """The transcoder would print a piece of the body; what is large but fits, or near zero, passes."""
    refused = place(guard, b'{"order":{"tags":["a",' + number + b"]}}")
    assert violations(refused) == [("order.tags[1]", "is beyond the range of a double")]
    for fits in (b"1e308", b"-1.7E308", b"1e-400", b"9" * 300):
        assert "beyond" not in str(place(guard, b'{"order":{"tags":["a",' + fits + b"]}}"))


def test_a_field_of_the_path_may_not_stand_in_the_body(guard: Guard) -> None:
    """What the path gives is refused in the body, also where both agree, and at any depth."""
    refused = guard.judge("POST", "/v1/desks/main/orders", b'{"order":{"account":"main","tags":[]}}')
    assert violations(refused) == [("order.account", "the path gives this field; leave it out of the body")]
    refused = guard.judge("PUT", "/v1/desks/main/orders/1", b'{"account":"main"}')
    assert violations(refused) == [("order.account", "the path gives this field; leave it out of the body")]


def test_a_body_that_is_one_field_is_checked_as_that_field(guard: Guard) -> None:
    """Paths are those of the request message, so that they read as the server's own violations do."""
    assert guard.judge("PUT", "/v1/desks/main/orders/1", b'{"legs":[{"stopLoss":"1"}]}') is None
    refused = guard.judge("PUT", "/v1/desks/main/orders/1", b'{"legs":[{"stop":"1"}]}')
    assert violations(refused)[0][0] == "order.legs[0].stop"


def test_a_body_beyond_the_methods_limit_is_too_large(guard: Guard) -> None:
    """65,537 bytes for a method that takes 65,536 are 413."""
    status, answer = place(guard, b'{"requestId":"' + b"x" * (65537 - 16) + b'"}')
    assert (status, answer["code"]) == (413, 3)
    assert answer["message"] == "the body has 65537 bytes; this method takes at most 65536"
    assert place(guard, b'{"requestId":"' + b"x" * (65536 - 16) + b'"}') is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"' + b"\\u0041" * 10_000 + b'":1}',
        b'{"requestId":"' + b"\\n" * 32_000 + b'"}',
        b'{"order":{"tags":[' + b'"",' * 20_000 + b'""]}}',
        b"{" + b",".join(b'"stopLoss%d":1' % n for n in range(3_500)) + b"}",
    ],
)
def test_no_body_costs_more_than_its_length(guard: Guard, body: bytes) -> None:
    """Long names, many escapes, many elements and many unknown fields are judged at once: the test would hang else."""
    assert len(body) <= 65_536
    place(guard, body)


def test_paths_match_as_the_transcoder_matches_them(guard: Guard) -> None:
    """A custom verb is one more segment, slashes at the end are forgiven, queries do not count."""
    for path in ("/v1/orders:place", "/v1/orders/place", "/v1/orders/place//", "/v1/orders:place?x=/a:b"):
        assert guard.knows("POST", path), path
    for path in ("/v1/orders", "/v1/orders:places", "/v1/orders:place/x", "//v1/orders:place"):
        assert not guard.knows("POST", path), path
    assert guard.knows("POST", "/v1/desks/a:b/orders")
    assert not guard.knows("GET", "/v1/orders:place")


@pytest.mark.parametrize(
    ("verb", "path", "refused"),
    [
        ("POST", "/v1/orders:place", False),
        ("POST", "/v1/orders:place?", False),
        ("POST", "/v1/orders:place?requestId=x", True),
        ("POST", "/v1/desks/main/orders?order.account=other", True),
        ("PUT", "/v1/desks/main/orders/1?requestId=2", True),
        ("PUT", "/v1/desks/main/orders/1?request_id=2", True),
        ("PUT", "/v1/desks/main/orders/1?a=b&REQUEST%49D=2", True),
        ("PUT", "/v1/desks/main/orders/1?order.tags=x", True),
        ("PUT", "/v1/desks/main/orders/1?order=x", True),
        ("PUT", "/v1/desks/main/orders/1?orders=x", False),
        ("POST", "/v1/orders:place?%FF%22%00=x", True),
    ],
)
def test_a_query_overrides_neither_path_nor_body(guard: Guard, verb: str, path: str, refused: bool) -> None:
    """A field that the path or the body gives may not stand in the query, however its name is written."""
    assert (guard.judge_query(verb, path) is not None) is refused


@pytest.mark.parametrize(
    ("content_type", "grpc"),
    [
        (None, False),
        (b"application/json", False),
        (b"application/grpc", True),
        (b"application/grpc+proto", True),
        (b"application/grpc;x", True),
        (b"application/grpc-web", False),
        (b"application/grpcx", False),
        (b"Application/grpc", False),
    ],
)
def test_grpc_is_what_the_transcoder_takes_for_it(guard: Guard, content_type: bytes | None, grpc: bool) -> None:
    """A content type that only begins like gRPC's is no way around the guard."""
    assert guard.is_grpc(content_type) is grpc


def test_the_script_is_the_same_for_the_same_contracts() -> None:
    """Two compilations give the same bytes, so that the edge's listener does not change for nothing."""
    assert guard_script(contracts()) == guard_script(contracts())


def test_a_request_that_cannot_be_guarded_is_refused() -> None:
    """google.protobuf.Any in a REST request is an error of the contract."""
    text = ORDERS.read_text().replace("google.protobuf.Value extra", "google.protobuf.Any extra")
    text = text.replace('import "google/protobuf/duration.proto";', 'import "google/protobuf/any.proto";\n\\g', 1)
    text = text.replace("\\g", 'import "google/protobuf/duration.proto";')
    with pytest.raises(ContractError, match=r"google\.protobuf\.Any"):
        guard_script(read_contracts([compile_file(text)]))
