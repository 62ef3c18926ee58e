"""The OpenAPI document: valid, complete, and as strict as the servers' own validation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import protovalidate
import pytest
from google.protobuf import descriptor_pb2, json_format, message_factory
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012 as DRAFT

import crossrate.api
from crossrate.api.reference.v1 import instrument_pb2
from crossrate.rpc.contract import ContractError, contracts
from crossrate.rpc.openapi import openapi_document
from tests.contract.dynamic import compile_set

API = Path(crossrate.api.__path__[0])
DESCRIBED = descriptor_pb2.FileDescriptorSet.FromString((API / "contracts.binpb").read_bytes())
DOCUMENT = json.loads((API / "openapi.json").read_text())
ORDERS = Path(__file__).with_name("orders.proto").read_text()
VERBS = {"get", "put", "post", "delete", "patch"}
VARIABLE = re.compile(r"\{([^}]+)\}")
UUID = "5f0e1c8a-8b0e-4b7e-9a54-2f6d1b6f5a10"


def operations(document: dict):
    """Each operation with its path and verb."""
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


def validator(document: dict, pointer: str) -> Draft202012Validator:
    """A JSON Schema validator of one schema in a document."""
    registry = Registry().with_resource("urn:d", Resource.from_contents(document, default_specification=DRAFT))
    return Draft202012Validator({"$ref": f"urn:d#{pointer}"}, registry=registry, format_checker=FormatChecker())


def described_with(text: str) -> descriptor_pb2.FileDescriptorSet:
    """The platform's contracts and one more."""
    every = descriptor_pb2.FileDescriptorSet()
    every.CopyFrom(DESCRIBED)
    there = {file.name for file in every.file}
    every.file.extend(file for file in compile_set(text).file if file.name not in there)
    return every


@pytest.fixture(scope="module")
def orders() -> dict:
    """The document with the tests' order contract in it."""
    return openapi_document(described_with(ORDERS))


def test_the_document_is_valid_openapi(orders: dict) -> None:
    """A validator of others finds nothing wrong, neither in ours nor with every kind of field in it."""
    for document in (DOCUMENT, orders):
        assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_the_document_is_what_the_contracts_compile_to() -> None:
    """The committed file is that of these contracts, and the same contracts give the same text."""
    assert openapi_document(DESCRIBED) == DOCUMENT
    assert json.dumps(openapi_document(DESCRIBED)) == json.dumps(openapi_document(DESCRIBED))


def test_every_reachable_binding_is_there_and_no_other() -> None:
    """Methods with a role appear with all of their paths; those without, as instances' own, do not."""
    expected = {
        (VARIABLE.sub("{}", binding.template), binding.verb.lower())
        for contract in contracts().values()
        if contract.roles
        for binding in contract.rest
    }
    assert {(VARIABLE.sub("{}", path), verb) for path, verb, _ in operations(DOCUMENT)} == expected
    assert not any("/v1/instance" in path for path in DOCUMENT["paths"])


def test_no_two_paths_differ_in_their_variables_names_alone(orders: dict) -> None:
    """Such paths are one (OpenAPI 3.1, "Paths Object"), whose operations share its names; a name is a plain word, also
    where the field is another message's."""
    for document in (DOCUMENT, orders):
        shapes = [VARIABLE.sub("{}", path) for path in document["paths"]]
        assert len(shapes) == len(set(shapes))
        assert all(re.fullmatch(r"\w+", name) for path in document["paths"] for name in VARIABLE.findall(path))
    assert set(DOCUMENT["paths"]["/v1/accounts/{account}/orders"]) == {"get", "post"}


def test_every_operation_says_what_it_is_and_who_may_call_it() -> None:
    """Operations have unique ids, comments, a policy and the common error; so has each parameter a sentence."""
    ids = [operation["operationId"] for _, _, operation in operations(DOCUMENT)]
    assert len(ids) == len(set(ids))
    for path, verb, operation in operations(DOCUMENT):
        assert verb in VERBS
        assert operation["description"], path
        assert operation["x-crossrate-policy"]["roles"], path
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/Error"}
        named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert named == set(VARIABLE.findall(path))
        assert all(p.get("description") for p in operation.get("parameters", [])), path


def test_streams_are_lines_or_events() -> None:
    """A server stream answers with NDJSON or server-sent events, a unary method with JSON."""
    stream = DOCUMENT["paths"]["/v1/quotes:stream"]["get"]["responses"]["200"]["content"]
    assert set(stream) == {"application/x-ndjson", "text/event-stream"}
    unary = DOCUMENT["paths"]["/v1/quotes/{base}/{counter}"]["get"]["responses"]["200"]["content"]
    assert set(unary) == {"application/json"}


def test_a_nested_message_in_a_query_is_its_fields() -> None:
    """A date is three parameters with dotted names, each with both comments."""
    parameters = DOCUMENT["paths"]["/v1/currencies/{currency}/settlementDays"]["get"]["parameters"]
    names = [parameter["name"] for parameter in parameters]
    assert names == [
        "currency",
        *(f"{side}Date.{part}" for side in ("start", "end") for part in ("year", "month", "day")),
    ]
    assert parameters[1]["description"].startswith("First day, included. Year of the date.")


def test_int64_is_a_string_and_an_enum_its_names() -> None:
    """The forms of protobuf's JSON, as the transcoder writes them."""
    instrument = DOCUMENT["components"]["schemas"]["crossrate.api.reference.v1.Instrument"]["properties"]
    assert instrument["version"]["type"] == "string"
    assert instrument["updateTime"]["format"] == "date-time"
    status = DOCUMENT["components"]["schemas"]["crossrate.api.reference.v1.InstrumentStatus"]
    assert "INSTRUMENT_STATUS_HALTED" in status["enum"]
    assert "`INSTRUMENT_STATUS_HALTED`: Neither quoted nor tradable." in status["description"]


def test_an_answer_fits_its_schema() -> None:
    """The JSON of a full message is valid by the schema of that message."""
    instrument = instrument_pb2.Instrument(name="EUR/USD", spot_lag_days=2, status=1, version=1 << 40, direct=True)
    instrument.update_time.FromSeconds(1_800_000_000)
    check = validator(DOCUMENT, "/components/schemas/crossrate.api.reference.v1.Instrument")
    check.validate(json_format.MessageToDict(instrument))
    assert not check.is_valid({"version": 5})
    assert not check.is_valid({"status": "HALTED"})


GOOD = {"requestId": UUID, "status": "INSTRUMENT_STATUS_HALTED", "comment": "x"}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"requestId": "no"},
        {"requestId": None},
        {"status": "INSTRUMENT_STATUS_UNSPECIFIED"},
        {"status": None},
        {"comment": ""},
        {"comment": "x" * 500},
        {"comment": "x" * 501},
        {"comment": None},
        {"expectedVersion": "7"},
        {"expectedVersion": "-7"},
        {"validateOnly": True},
    ],
)
def test_the_schema_of_a_body_refuses_what_the_server_refuses(change: dict) -> None:
    """JSON Schema and protovalidate give the same verdict on a body, with None for a field that is left out."""
    body = {name: value for name, value in (GOOD | change).items() if value is not None}
    pointer = "/paths/~1v1~1instruments~1{base}~1{counter}:setStatus/post/requestBody/content/application~1json/schema"
    message = message_factory.GetMessageClass(contracts_input("SetInstrumentStatus"))(base="EUR", counter="USD")
    json_format.ParseDict(body, message)
    by_rules = protovalidate.collect_violations(message) == []
    assert validator(DOCUMENT, pointer).is_valid(body) is by_rules


STREAMED = {"instrument": "EUR/USD", "spot": {"notional": 1}}


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True),
        ({"spot": None}, False),
        ({"forward": {"valueDate": "1M", "notional": 1}}, False),
        ({"spot": None, "forward": {"valueDate": "1M", "notional": 1}}, True),
        ({"spot": {}}, False),
        ({"spot": {"notional": 0}}, False),
    ],
)
def test_of_alternatives_a_schema_takes_one(change: dict, good: bool) -> None:
    """Exactly one product where one is wanted, as the server takes it, and none whose amount is zero or left out."""
    product = {name: value for name, value in (STREAMED | change).items() if value is not None}
    body = {"products": [product], "market": "desk"}
    pointer = "/paths/~1v1~1products:stream/post/requestBody/content/application~1json/schema"
    check = validator(DOCUMENT, pointer)
    assert check.is_valid(body) is good
    message = message_factory.GetMessageClass(contracts_input("StreamPrices"))()
    try:
        json_format.ParseDict(body, message)
    except json_format.ParseError:
        assert not good
        return
    assert (protovalidate.collect_violations(message) == []) is good


@pytest.mark.parametrize(("interval", "good"), [("5s", True), ("0.5s", True), ("-5s", False), ("600s", False)])
def test_a_duration_s_form_has_its_sign_and_its_digits(interval: str, good: bool) -> None:
    """What a pattern can say of bounds."""
    body = {"products": [STREAMED], "market": "desk", "heartbeatInterval": interval}
    pointer = "/paths/~1v1~1products:stream/post/requestBody/content/application~1json/schema"
    assert validator(DOCUMENT, pointer).is_valid(body) is good


def contracts_input(name: str):
    """Descriptor of a method's request."""
    return next(contract.input for contract in contracts().values() if contract.name == name)


def test_a_body_has_no_field_that_the_path_gives() -> None:
    """Bodies are closed: an unknown field, and one that the path binds, is not valid."""
    pointer = "/paths/~1v1~1instruments~1{base}~1{counter}:setStatus/post/requestBody/content/application~1json/schema"
    check = validator(DOCUMENT, pointer)
    assert check.is_valid(GOOD)
    assert not check.is_valid(GOOD | {"base": "EUR"})
    assert not check.is_valid(GOOD | {"coment": "x"})


def test_every_kind_of_field_has_its_form(orders: dict) -> None:
    """Maps, oneofs, wrappers, free-form values, optional numbers, recursion, bodies that are one field."""
    order = orders["components"]["schemas"]["crossrate.api.orders.v1.Order"]
    properties = order["properties"]
    assert properties["namedLegs"]["additionalProperties"] == {
        "$ref": "#/components/schemas/crossrate.api.orders.v1.Leg"
    }
    assert properties["levels"]["additionalProperties"]["type"] == "number"
    assert properties["cap"]["type"] == ["number", "null"]
    assert properties["clientNumber"]["pattern"] == "^-?[0-9]+$"
    assert properties["legs"]["maxItems"] == 16
    assert "At most one of limitPrice, market, schedule." in order["description"]
    put = orders["paths"]["/v1/desks/{account}/orders/{request_id}"]["put"]
    assert put["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("orders.v1.Order")
    assert put["operationId"] == "OrderService_PlaceOrder_2"
    full = {"legs": [{"quantity": "5", "hedges": [{"quantity": "1"}]}], "notes": {"a": [1]}, "lifetime": "1.5s"}
    check = validator(orders, "/components/schemas/crossrate.api.orders.v1.Order")
    check.validate(full)
    assert not check.is_valid({"legs": [{"quantity": "5.5"}]})
    assert not check.is_valid({"lifetime": "soon"})


def test_what_a_query_cannot_carry_is_an_error_of_the_contract() -> None:
    """A GET whose request has a list of messages is refused when the document is made."""
    text = ORDERS.replace('post: "/v1/orders:place"\n        body: "*"', 'get: "/v1/orders:place"')
    with pytest.raises(ContractError, match="cannot stand in a query"):
        openapi_document(described_with(text))
