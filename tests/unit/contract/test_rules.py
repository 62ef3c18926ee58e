"""Each rule that a contract has to keep: a contract that breaks it is refused with that rule's sentence."""

from __future__ import annotations

import pytest

from crossrate.rpc.contract import ContractError, MethodContract, find_method, read_contracts
from crossrate.rpc.rest import ambiguities, read_template
from tests.contract.dynamic import compile_file

CONTRACT = """
syntax = "proto3";
package crossrate.api.desk.v1;
import "crossrate/api/policy/v1/policy.proto";
import "google/api/annotations.proto";
service DeskService {{
  rpc Act({requests} Request) returns ({answers} Answer) {{
    {idempotency}
    {http}
    option (crossrate.api.policy.v1.method) = {{ {policy} }};
  }}
}}
message Request {{ {fields} }}
message Answer {{}}
"""
RIGHT = {
    "requests": "",
    "answers": "",
    "idempotency": "option idempotency_level = NO_SIDE_EFFECTS;",
    "http": 'option (google.api.http) = {get: "/v1/desk"};',
    "policy": 'roles: [ROLE_VIEWER] account_fields: "account" deadline: {seconds: 1} cost: 1 '
    "side_effects: SIDE_EFFECTS_NONE",
    "fields": "string request_id = 1; bool validate_only = 2; string account = 3;",
}
WRITE = {
    "idempotency": "option idempotency_level = IDEMPOTENT;",
    "http": 'option (google.api.http) = {post: "/v1/desk:act" body: "*"};',
    "policy": 'roles: [ROLE_TRADER] account_fields: "account" deadline: {seconds: 1} cost: 1 '
    "side_effects: SIDE_EFFECTS_VALIDATE_ONLY",
}
BIDIRECTIONAL = {"requests": "stream", "answers": "stream", "http": ""}
STREAM_POLICY = RIGHT["policy"] + " stream_idle_timeout: {seconds: 9}"


def read(**changes: str) -> MethodContract:
    """The contract of the method with some of its parts changed."""
    file = compile_file(CONTRACT.format(**RIGHT | changes))
    return read_contracts([file])["/crossrate.api.desk.v1.DeskService/Act"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        WRITE,
        BIDIRECTIONAL | {"policy": STREAM_POLICY + ' no_rest_reason: "HTTP/1.1 cannot"'},
        {"answers": "stream", "policy": STREAM_POLICY},
        {"policy": RIGHT["policy"] + ' sticky_field: "account"'},
        {"policy": RIGHT["policy"].replace("roles: [ROLE_VIEWER]", 'services: ["risk"]')},
    ],
)
def test_a_right_contract_is_read(changes: dict[str, str]) -> None:
    """A contract that keeps every rule gives a value: the cases below fail for what they break alone."""
    assert read(**changes).name == "Act"


@pytest.mark.parametrize(
    ("sentence", "changes"),
    [
        ("states no idempotency_level", {"idempotency": ""}),
        (
            "names nobody who may call it: give roles or services",
            {"policy": RIGHT["policy"].replace("roles: [ROLE_VIEWER]", "")},
        ),
        ("names ROLE_UNSPECIFIED", {"policy": RIGHT["policy"].replace("ROLE_VIEWER", "ROLE_UNSPECIFIED")}),
        ("has no deadline", {"policy": RIGHT["policy"].replace("deadline: {seconds: 1}", "")}),
        ("has no cost", {"policy": RIGHT["policy"].replace("cost: 1", "")}),
        (
            "does not state its side effects",
            {"policy": RIGHT["policy"].replace("side_effects: SIDE_EFFECTS_NONE", "")},
        ),
        (
            "has side effects but claims NO_SIDE_EFFECTS (or the reverse)",
            {"policy": RIGHT["policy"].replace("EFFECTS_NONE", "EFFECTS_NEVER_MIRROR")},
        ),
        (
            "has side effects but claims NO_SIDE_EFFECTS (or the reverse)",
            WRITE | {"policy": RIGHT["policy"]},
        ),
        (
            "is VALIDATE_ONLY but its request has no bool validate_only",
            WRITE | {"fields": "string request_id = 1;"},
        ),
        ("writes but its request has no request_id", WRITE | {"fields": "bool validate_only = 1;"}),
        ("has no google.api.http path", {"http": ""}),
        ("is bidirectional and states no no_rest_reason", BIDIRECTIONAL | {"policy": STREAM_POLICY}),
        (
            "has both a REST path and a reason for having none",
            {"policy": RIGHT["policy"] + ' no_rest_reason: "none"'},
        ),
        ("streams but has no stream_idle_timeout", {"answers": "stream"}),
        (
            "has a sticky_field that its request does not have",
            {"policy": RIGHT["policy"] + ' sticky_field: "account.name"'},
        ),
    ],
)
def test_a_broken_rule_is_named(sentence: str, changes: dict[str, str]) -> None:
    """The error names the method and the rule."""
    with pytest.raises(ContractError) as caught:
        read(**changes)
    assert f"/crossrate.api.desk.v1.DeskService/Act {sentence}" in str(caught.value).splitlines()


def test_a_method_without_a_policy_is_refused() -> None:
    """The first thing that a method needs is its policy."""
    text = CONTRACT.format(**RIGHT).replace("option (crossrate.api.policy.v1.method)", "// ").replace("= {{", "= {")
    with pytest.raises(ContractError, match="has no policy"):
        read_contracts([compile_file(text)])


def test_every_broken_rule_is_named_at_once() -> None:
    """Whoever writes a contract sees all that is wrong with it, not one rule a run."""
    with pytest.raises(ContractError) as caught:
        read(idempotency="", http="")
    assert len(str(caught.value).splitlines()) >= 2


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("/v1/a/{x}", "/v1/a/{y}", True),
        ("/v1/a/{x}", "/v1/a/b", True),
        ("/v1/a/{x}", "/v1/b/{x}", False),
        ("/v1/a/{x}", "/v1/a/{x}/b", False),
        ("/v1/a/{x}:set", "/v1/a/{x}:get", False),
        # ":" before a custom verb is a slash to the transcoder.
        ("/v1/a/{x}:set", "/v1/a/{x}/set", True),
        ("/v1/a:set", "/v1/a/{x}", True),
        ("/v1/{name=a/**}", "/v1/a/b/c", True),
        ("/v1/{name=a/**}", "/v1/b/b/c", False),
        ("/v1/{name=a/*/b/*}", "/v1/a/{x}/b/{y}", True),
    ],
)
def test_templates_that_match_one_path_are_ambiguous(one: str, other: str, overlap: bool) -> None:
    """Two templates overlap when some path fits both, custom verbs and wildcards included."""
    assert read_template(one).overlaps(read_template(other)) is overlap
    assert read_template(other).overlaps(read_template(one)) is overlap


def test_ambiguous_bindings_are_named() -> None:
    """The sentence names both methods and both templates."""
    http = 'option (google.api.http) = {get: "/v1/desk/{account}" additional_bindings {get: "/v1/desk/{request_id}"}};'
    contract = read(http=http)
    (sentence,) = ambiguities({contract.path: contract})
    assert "/v1/desk/{account}" in sentence
    assert "/v1/desk/{request_id}" in sentence
    assert ambiguities({contract.path: read()}) == []


@pytest.mark.parametrize(
    ("template", "segments", "is_open", "fields"),
    [
        ("/v1/a", ("v1", "a"), False, ()),
        ("/v1/a:do", ("v1", "a", "do"), False, ()),
        ("/v1/{x}/{y.z}:do", ("v1", "*", "*", "do"), False, ("x", "y.z")),
        ("/v1/{name=a/*/b/*}", ("v1", "a", "*", "b", "*"), False, ("name",)),
        ("/v1/{name=a/**}:do", ("v1", "a"), True, ("name",)),
    ],
)
def test_templates_become_segments(template: str, segments: tuple, is_open: bool, fields: tuple) -> None:
    """Literals, variables, patterns and custom verbs of a path template."""
    read_back = read_template(template)
    assert (read_back.segments, read_back.is_open, read_back.fields) == (segments, is_open, fields)


@pytest.mark.parametrize(
    "name", ["GetQuote", "MarketDataService/GetQuote", "/crossrate.api.marketdata.v1.MarketDataService/GetQuote"]
)
def test_a_method_is_found_by_the_name_that_a_person_gives(name: str) -> None:
    """A bare name is enough where it is unique."""
    assert find_method(name).path == "/crossrate.api.marketdata.v1.MarketDataService/GetQuote"


def test_a_name_that_nothing_has_says_what_is_near() -> None:
    """The error lists candidates, or where to find them."""
    with pytest.raises(LookupError, match=r"did you mean .*GetQuote"):
        find_method("quote")
    with pytest.raises(LookupError, match="crossrate routes"):
        find_method("Frobnicate")
