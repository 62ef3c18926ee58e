"""The JSON guard's judgement, in the LuaJIT that Envoy has too, against protobuf's own reader of JSON."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path

import pytest
from google.protobuf import descriptor_pool, json_format, message_factory
from lupa import luajit21

from crossrate.rpc.contract import ContractError, contracts, read_contracts
from services.control.json_guard import guard_script
from tests.contract.dynamic import compile_file

ORDERS = Path(__file__).parents[2] / "contract" / "orders.proto"
FUZZ_SEED = 20261121
FUZZ_COUNT = 10_000


class Guard:
    """The script, loaded as a proxy's worker loads it."""

    def __init__(self, script: str) -> None:
        self._lua = luajit21.LuaRuntime(encoding=None)
        self._lua.execute(script.encode())

    def judge(self, verb: str, path: str, body: bytes) -> tuple[int, dict] | None:
        """Status and answer of a refusal; None if the body may pass."""
        names = self._lua.globals()
        route = names.route_of(verb.encode(), path.encode())
        assert route is not None, f"{verb} {path} is not a binding"
        refused = names.judge(route, body)
        return refused and (int(refused[0]), json.loads(refused[1]))

    def knows(self, verb: str, path: str) -> bool:
        """Whether the guard would look at the body of such a request."""
        return self._lua.globals().route_of(verb.encode(), path.encode()) is not None

    def is_grpc(self, content_type: bytes | None) -> bool:
        """Whether the guard leaves requests of this content type alone."""
        return self._lua.globals().is_grpc(content_type)


@pytest.fixture(scope="module")
def orders():
    """Descriptor of a contract with every kind of field."""
    return compile_file(ORDERS.read_text())


@pytest.fixture(scope="module")
def guard(orders) -> Guard:
    """The guard of that contract."""
    return Guard(guard_script(read_contracts([orders])))


def place(guard: Guard, body: object) -> tuple[int, dict] | None:
    """The verdict on a body whose every field comes from the body."""
    return guard.judge("POST", "/v1/orders:place", body if isinstance(body, bytes) else json.dumps(body).encode())


def violations(refused: tuple[int, dict] | None) -> list[tuple[str, str]]:
    """Fields and descriptions of a refusal."""
    assert refused is not None
    return [(v["field"], v["description"]) for v in refused[1]["details"][1]["fieldViolations"]]


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


def test_a_field_of_the_path_may_not_stand_in_the_body(guard: Guard) -> None:
    """What the path gives is refused in the body, also where both agree, and at any depth."""
    refused = guard.judge("POST", "/v1/accounts/main/orders", b'{"order":{"account":"main","tags":[]}}')
    assert violations(refused) == [("order.account", "the path gives this field; leave it out of the body")]
    refused = guard.judge("PUT", "/v1/accounts/main/orders/1", b'{"account":"main"}')
    assert violations(refused) == [("order.account", "the path gives this field; leave it out of the body")]


def test_a_body_that_is_one_field_is_checked_as_that_field(guard: Guard) -> None:
    """Paths are those of the request message, so that they read as the server's own violations do."""
    assert guard.judge("PUT", "/v1/accounts/main/orders/1", b'{"legs":[{"stopLoss":"1"}]}') is None
    refused = guard.judge("PUT", "/v1/accounts/main/orders/1", b'{"legs":[{"stop":"1"}]}')
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
    assert guard.knows("POST", "/v1/accounts/a:b/orders")
    assert not guard.knows("GET", "/v1/orders:place")


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


class Mutator:
    """Valid requests, and small damage to them, from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def leg(self, depth: int = 0) -> dict:
        """A leg, hedged at most three deep."""
        leg: dict = {"quantity": "1000", "side": self.random.choice(["SIDE_BUY", 1])}
        leg[self.random.choice(["stopLoss", "stop_loss"])] = "1.05"
        if self.random.random() < 0.4:
            leg["valueDate"] = {"year": 2026, "month": 3, "day": 4}
        if depth < 3 and self.random.random() < 0.4:
            leg["hedges"] = [self.leg(depth + 1) for _ in range(self.random.randint(0, 2))]
        return leg

    def request(self) -> dict:
        """A request that protobuf accepts."""
        order: dict = {"account": "main", "legs": [self.leg() for _ in range(self.random.randint(0, 3))]}
        optional = {
            "namedLegs": {"near": self.leg(), "far": self.leg()},
            "levels": {"support": 1.25, "stopLos": 2},
            "expireTime": "2026-01-01T00:00:00Z",
            "lifetime": "3.5s",
            "notes": {"free": {"form": [1, {"stopLos": None}]}},
            "cap": 2.5,
            "mutable": "legs,tags",
            "client_number": "17",
            "tags": ["a", "b"],
            "extra": [{"x": 1}],
        }
        for name, value in optional.items():
            if self.random.random() < 0.3:
                order[name] = value
        style = self.random.choice([{}, {"limitPrice": "1.1"}, {"market": {}}, {"schedule": self.leg()}])
        return {self.random.choice(["requestId", "request_id"]): "x", "order": order | style}

    def spelling(self, name: str) -> str:
        """A name with one small error; sometimes it is still right."""
        at = self.random.randrange(max(1, len(name)))
        return self.random.choice(
            [
                name[:at] + name[at + 1 :] or "x",
                name[:at] + name[at : at + 1].swapcase() + name[at + 1 :],
                name[:at] + self.random.choice("aeiou_é") + name[at:],
                name.replace("_", "") if "_" in name else name.lower(),
                self.random.choice(["stopLoss", "legs", "value", "side", "requestId", "[ext]", "@type", ""]),
            ]
        )

    def objects(self, value: object) -> list:
        """Every object and array of a tree."""
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return [value, *(o for i in inner if isinstance(i, (dict, list)) for o in self.objects(i))]

    def damage(self, request: dict) -> None:
        """One change somewhere: a name, a new field, a value, an element."""
        target = self.random.choice(self.objects(request))
        value = self.random.choice([None, "1", 1, True, [], {}, {"stopLos": "1"}, [{"quantity": "1"}], self.leg()])
        if isinstance(target, list):
            target.append(value)
        elif not target or self.random.random() < 0.2:
            target[self.spelling("stopLoss")] = value
        elif self.random.random() < 0.7:
            name = self.random.choice(list(target))
            target[self.spelling(name)] = target.pop(name)
        else:
            target[self.random.choice(list(target))] = value

    def body(self) -> bytes:
        """A request with none to three damages, in some layout, sometimes with escapes in its names."""
        request = self.request()
        for _ in range(self.random.randint(0, 3)):
            self.damage(request)
        text = json.dumps(request, indent=self.random.choice([None, 2]), ensure_ascii=self.random.random() < 0.5)
        if self.random.random() < 0.1:
            text = text.replace("stop", "\\u0073top")
        return text.encode()


def test_the_guard_agrees_with_protobuf_on_ten_thousand_mutations(guard: Guard, orders) -> None:
    """What protobuf's JSON reader accepts passes; what it calls an unknown field is refused as one, always."""
    request = message_factory.GetMessageClass(orders.message_types_by_name["PlaceOrderRequest"])
    mutator = Mutator(FUZZ_SEED)
    verdicts: Counter[str] = Counter()
    pool = descriptor_pool.DescriptorPool()
    for _ in range(FUZZ_COUNT):
        body = mutator.body()
        text = body.decode()
        refused = place(guard, body)
        reason = refused and refused[1]["details"][0]["reason"]
        try:
            json_format.Parse(body, request(), ignore_unknown_fields=False, descriptor_pool=pool)
        except json_format.ParseError as error:
            # Python looks through a text that stands for a message as if it were one; that is an error of type.
            named = re.search(r'has no field named "(.*?)" at', str(error))
            verdict = "unknown" if named and named[1] in set(re.findall(r'"([^"]*)": ', text)) else "other"
        else:
            verdict = "accepted"
        verdicts[verdict] += 1
        if verdict == "accepted" and refused is not None:
            # Python takes the last of two spellings of one field; another reader may take the first.
            assert {text for _, text in violations(refused)} == {"the field is given twice"}, (body, refused)
        elif verdict == "unknown":
            assert reason == "UNKNOWN_FIELD", (body, refused)
    assert min(verdicts["accepted"], verdicts["unknown"]) > FUZZ_COUNT // 10, verdicts
