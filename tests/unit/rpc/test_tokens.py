"""Payloads of tokens that the edge hands on, and what was revoked."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from crossrate.rpc.caller import CLIENT_HEADER, FINGERPRINT_HEADER, Clients
from crossrate.rpc.errors import ErrorReason, Failure
from crossrate.rpc.grants import Client
from crossrate.rpc.revocations import KEEP_S, SWEEP_MIN, Revocations
from crossrate.rpc.tokens import SKEW_S, TOKEN_HEADER, TokenProblem, Tokens
from crossrate.runtime.topology import AccessTokens, Topology
from tests.issuer import ISSUER, encoded

NOW = 1_800_000_000.0
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "crossrate",
    "sub": "u-1",
    "client_id": "cli",
    "iat": int(NOW),
    "nbf": int(NOW),
    "exp": int(NOW) + 300,
    "jti": "j-1",
    "sid": "s-1",
    "desk": "spot",
    "roles": ["trader", "unheard-of"],
    "accounts": ["alpha", "spot-*"],
    "instruments": ["EUR/USD"],
    "acr": "2",
    "auth_time": int(NOW) - 60,
}


def payload(**changes: Any) -> str:
    """A payload as the edge writes it."""
    return encoded(json.dumps(CLAIMS | changes).encode())


def tokens() -> Tokens:
    """Of a mesh with identity."""
    return Tokens(AccessTokens(), ISSUER)


def problem(text: str, *, fingerprint: str | None = None, now: float = NOW) -> str:
    """Why a payload is worth nothing."""
    with pytest.raises(TokenProblem) as caught:
        tokens().client(text, fingerprint, now)
    return str(caught.value)


def test_a_payload_becomes_a_client() -> None:
    """Roles that the mesh knows, grants, desk, session, and who is answerable: a person, or a program of its own."""
    client = tokens().client(payload(), None, NOW)
    assert (client.roles, client.accounts, client.desk) == ({"trader"}, ("alpha", "spot-*"), "spot")
    assert (client.may_deal_in("EUR/USD"), client.may_deal_in("USD/JPY")) == (True, False)
    assert (client.session, client.factor_time, str(client)) == ("s-1", NOW - 60, "user:u-1")
    machine = tokens().client(payload(client_id="u-1", accounts="*", instruments=None, acr="1"), None, NOW)
    assert (str(machine), machine.accounts, machine.instruments) == ("machine:u-1", ("*",), None)
    assert machine.factor_time == 0


def test_a_random_id_may_begin_with_any_letter_of_base64url() -> None:
    """Also with the two that are neither letters nor digits."""
    for first in "-_aZ09":
        assert tokens().client(payload(jti=f"{first}x-1", sid=f"{first}y"), None, NOW).session == f"{first}y"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"iss": "https://elsewhere"}, "iss"),
        ({"aud": "other"}, "aud"),
        ({"aud": ["a", "b"]}, "aud"),
        ({"exp": int(NOW) + 301}, "longer than 300 s"),
        ({"iat": int(NOW) + 60, "exp": int(NOW) + 300}, "has not come"),
        ({"nbf": int(NOW) + 60}, "has not come"),
        ({"exp": "soon"}, "exp is no time"),
        ({"exp": True}, "exp is no time"),
        ({"sub": ""}, "sub is no id"),
        ({"sid": None}, "sid is no id"),
        ({"client_id": "a b"}, "client_id is no id"),
        ({"roles": "trader"}, "roles is no list"),
        ({"accounts": [1]}, "accounts has an entry"),
        ({"desk": "A B"}, "desk"),
        ({"cnf": {"jkt": "x"}}, "cnf"),
        ({"acr": "2", "auth_time": None}, "auth_time is no time"),
    ],
)
def test_a_payload_that_says_something_else_is_refused(changes: dict[str, Any], words: str) -> None:
    """By the claim that is wrong, without its value."""
    assert words in problem(payload(**changes))


@pytest.mark.parametrize("raw", [b"[]", b'"x"', b"{", b'{"a":1,"a":2}', b'{"exp":NaN}', b"\xff", b"[" * 100_000])
def test_what_is_no_object_of_claims_is_refused(raw: bytes) -> None:
    """Also one in which a name stands twice."""
    assert problem(encoded(raw)) == "its claims cannot be read"
    assert problem("not base64!") == "its claims cannot be read"


def test_a_remembered_token_still_ends() -> None:
    """What was read once is looked at for its time and its binding each time."""
    read, text = tokens(), payload()
    assert read.client(text, None, NOW) is read.client(text, None, NOW + 299)
    with pytest.raises(TokenProblem, match="expired"):
        read.client(text, None, NOW + 300 + SKEW_S)
    digest = bytes(range(32))
    bound = payload(cnf={"x5t#S256": base64.urlsafe_b64encode(digest).decode().rstrip("=")})
    assert read.client(bound, digest.hex(), NOW).bound_to == digest.hex()
    for other in (None, "", "0" * 64):
        with pytest.raises(TokenProblem, match="another certificate"):
            read.client(bound, other, NOW)


def mesh(**identity: Any) -> Topology:
    """A mesh with identity and one client that has a key."""
    return Topology.model_validate(
        {
            "services": {"identity": {}},
            "tokens": {"issuer": ISSUER, **identity},
            "clients": {"local": {"roles": ["operator"], "step_up": True}, "robot": {"roles": ["operator"]}},
        }
    )


def reason(clients: Clients, headers: dict[str, str]) -> ErrorReason:
    """Why somebody is refused."""
    with pytest.raises(Failure) as caught:
        clients.of(headers, "m", NOW)
    return caught.value.reason


def test_a_token_decides_alone_and_only_once_it_is_known_what_was_revoked() -> None:
    """A certificate beside it only proves whose it is; sessions that ended and grants that changed are refused."""
    revocations = Revocations()
    clients = Clients(mesh(), revocations)
    shown = {TOKEN_HEADER: payload(), CLIENT_HEADER: "spiffe://crossrate/client/local", FINGERPRINT_HEADER: "0" * 64}
    assert reason(clients, shown) is ErrorReason.DEPENDENCY_UNAVAILABLE
    revocations.complete = True
    assert str(clients.of(shown, "m", NOW)) == "user:u-1"
    assert reason(clients, {TOKEN_HEADER: "x"}) is ErrorReason.TOKEN_REFUSED
    revocations.change_grants("u-1", NOW - 1)
    assert str(clients.of(shown, "m", NOW)) == "user:u-1"
    revocations.change_grants("u-1", NOW + 0.5)
    assert reason(clients, shown) is ErrorReason.SESSION_REVOKED
    other = {TOKEN_HEADER: payload(sub="u-2")}
    assert str(clients.of(other, "m", NOW)) == "user:u-2"
    revocations.end_session("s-1", NOW)
    assert reason(clients, other) is ErrorReason.SESSION_REVOKED


def test_a_second_factor_is_asked_for_when_the_last_is_old() -> None:
    """By a token's time of proof; a key counts if the topology says so."""
    clients = Clients(mesh(step_up_max_age_s=100), None)
    clients.check_factor(Client("", frozenset(), (), factor_time=NOW - 100), "m", NOW)
    for late in (Client("", frozenset(), (), factor_time=NOW - 101), Client("", frozenset(), ())):
        with pytest.raises(Failure) as caught:
            clients.check_factor(late, "m", NOW)
        assert caught.value.reason is ErrorReason.STEP_UP_REQUIRED
        assert caught.value.metadata == {"method": "m", "acr": "2", "max_age": "100"}
    clients.check_factor(clients.of({CLIENT_HEADER: "spiffe://crossrate/client/local"}, "m", NOW), "m", NOW)
    with pytest.raises(Failure):
        clients.check_factor(clients.of({CLIENT_HEADER: "spiffe://crossrate/client/robot"}, "m", NOW), "m", NOW)


def test_what_no_token_can_know_any_more_is_forgotten() -> None:
    """A revocation is kept twice as long as a token lives."""
    revocations = Revocations()
    for number in range(SWEEP_MIN - 1):
        revocations.end_session(f"s-{number}", NOW)
    assert revocations.known == {"sessions": SWEEP_MIN - 1, "subjects": 0}
    revocations.end_session("s-new", NOW + KEEP_S + 1)
    assert revocations.known == {"sessions": 1, "subjects": 0}


def test_without_identity_no_token_is_believed() -> None:
    """A mesh that issues none takes none."""
    alone = Topology.model_validate({"services": {}})
    assert reason(Clients(alone, Revocations()), {TOKEN_HEADER: payload()}) is ErrorReason.TOKEN_REFUSED
