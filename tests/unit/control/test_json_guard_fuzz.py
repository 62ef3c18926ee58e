"""The JSON guard against protobuf's own reader of JSON, on random damage to valid requests."""

from __future__ import annotations

import json
import random
import re
from collections import Counter

from google.protobuf import descriptor_pool, json_format, message_factory

from tests.unit.control.guard import Guard, place, violations

FUZZ_SEED = 20261121
FUZZ_COUNT = 10_000


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
