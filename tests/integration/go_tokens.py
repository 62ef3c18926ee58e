"""Tokens as the edge hands them on, good and bad, and what an instance says to them."""

from __future__ import annotations

import json
from types import SimpleNamespace

import structlog

from crossrate.api.audit.v1 import audit_events_pb2 as audit
from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.api.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from crossrate.events import Events
from crossrate.runtime.topology import DENIALS, denials_subject
from tests.integration.go_stand import GO, GOOD, SPIFFE, Stand, outcome
from tests.issuer import Issuer, encoded


def payload(both: Stand, **changes: object) -> list[tuple[str, str]]:
    """What the edge tells of a token that it has verified."""
    issuer = both.mesh.topology.issuer(both.mesh.place.edge_port())
    claims = Issuer(issuer=issuer).claims(("quant",)) | changes
    claims = json.dumps({name: value for name, value in claims.items() if value is not None}).encode()
    return [("x-forwarded-client-cert", f"URI={SPIFFE}/edge"), ("x-crossrate-token", encoded(claims))]


async def said_to(both: Stand, instance: str, headers: list[tuple[str, str]]) -> tuple | bytes:
    """What an instance says to a call with a token."""
    request = pb.PriceRequest()
    request.CopyFrom(GOOD)
    request.flat_market.as_of.FromSeconds(1_700_000_000)
    async with both.channel(instance) as channel:
        return await outcome(PricingServiceStub(channel).Price(request, metadata=headers, timeout=10))


def tokens(now: int) -> list[dict[str, object]]:
    """Changes of a good token's claims, good and bad ones; `now` in seconds since 1970."""
    return [
        {},
        {"roles": ["auditor", "no_such_role"]},
        {"roles": []},
        {"roles": "*"},
        {"roles": ["-"]},
        {"roles": ["x"] * 257},
        {"roles": None},
        {"accounts": None},
        {"accounts": ["desk-*", 7]},
        {"instruments": ["EUR/*"]},
        {"instruments": "EUR/USD"},
        {"iss": "https://elsewhere"},
        {"iss": None},
        {"aud": "elsewhere"},
        {"aud": ["elsewhere", "crossrate"]},
        {"aud": []},
        {"iat": now + 3600, "exp": now + 3700},
        {"nbf": now + 3600},
        {"exp": now - 3600, "iat": now - 3700},
        {"exp": now + 4000},
        {"iat": "now"},
        {"iat": True},
        {"exp": -1},
        {"sub": None},
        {"sub": "a b"},
        {"sid": 5},
        {"jti": ""},
        {"client_id": "x" * 129},
        {"desk": "Not A Desk"},
        {"desk": 3},
        {"acr": "2", "auth_time": None},
        {"acr": "1", "auth_time": None},
        {"cnf": {"x5t#S256": "A" * 43}},
        {"cnf": {"x5t#S256": "A" * 42}},
        {"cnf": {"x5t#S256": "A" * 43, "jkt": "x"}},
        {"cnf": "x"},
    ]


RAW = ["e30", "", "!", "e30\u00e4".encode("ascii", "ignore").decode() + "*", encoded(b'{"iss": 1, "iss": 2}'),
       encoded(b"[1]"), encoded(b'{"a": NaN}'), encoded(b"[" * 20_000), encoded(b"{} {}")]  # fmt: skip


def every_kind(both: Stand, now: int) -> list[list[tuple[str, str]]]:
    """What the edge would say of each of these tokens."""
    edge = payload(both)[0]
    return [payload(both, **each) for each in tokens(now)] + [[edge, ("x-crossrate-token", raw)] for raw in RAW]


async def refusals_told(both: Stand, since_ns: int, wanted: int) -> bool:
    """Whether the variant has told of so many tokens that it refused since then; each fact is as services tell it."""
    place, topology, log = both.servers.place, both.mesh.topology, structlog.get_logger()
    events = await Events.open(
        SimpleNamespace(service="audit", instance="audit-1", place=place, topology=topology, log=log)
    )
    calls = 0
    try:
        for event in await events.read(DENIALS, 0):
            fact = event.parse(audit.CallsDenied)
            if event.id.startswith(f"{GO}:denied:") and fact.last_time.ToNanoseconds() >= since_ns:
                assert (event.subject, event.type) == (denials_subject("pricing"), fact.DESCRIPTOR.full_name)
                assert (fact.method, fact.actor) == ("crossrate.api.pricing.v1.PricingService/Price", "edge")
                assert (fact.reason, fact.place) == ("TOKEN_REFUSED", audit.DENIAL_PLACE_SERVICE)
                assert event.time_ns == fact.last_time.ToNanoseconds() >= fact.first_time.ToNanoseconds()
                calls += fact.count
    finally:
        await events.close()
    assert calls <= wanted
    return calls == wanted
