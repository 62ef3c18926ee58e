"""Tokens as programs get them: codes, refreshes, devices, assertions, certificates, API keys, and what ends them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import tempfile
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from google.protobuf import duration_pb2
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey

from crossrate.api.identity.v1 import access_pb2, client_pb2, identity_events_pb2, user_pb2
from crossrate.api.identity.v1 import client_service_pb2 as clients
from crossrate.api.identity.v1 import grant_service_pb2 as grants
from crossrate.api.identity.v1 import session_service_pb2 as sessions
from crossrate.api.identity.v1 import user_service_pb2 as users
from crossrate.api.policy.v1 import policy_pb2
from tests.integration.identity_stand import CALLBACK, CLI, ISSUER, TRADER, Browser, Stand, claims_of, pkce, stand

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def new_id() -> str:
    """A request id."""
    return str(uuid.uuid4())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def identity() -> AsyncIterator[Stand]:
    """One service for all of it."""
    with tempfile.TemporaryDirectory(prefix="xr-") as folder:
        async with stand(Path(folder), rate_class_by_role={"trader": "high", "viewer": "low"}) as made:
            yield made


async def keys_of(browser: Browser) -> KeySet:
    """The published keys."""
    return KeySet.import_key_set((await browser.get("/oauth2/jwks.json")).json())


async def active(identity: Stand, token: str) -> bool:
    """Whether a token is good now, by the service's word."""
    return (await identity.sessions.Introspect(sessions.IntrospectRequest(token=token))).active


async def test_a_person_s_token_says_who_and_what(identity: Stand) -> None:
    """Code with PKCE, exchanged: an access token of RFC 9068 and an ID token, signed by a published key."""
    browser = await identity.person("ada")
    body = await browser.tokens(nonce="n-1")
    keys = await keys_of(browser)
    token = jwt.decode(body["access_token"], keys, algorithms=["ES256"])
    assert token.header["typ"] == "at+jwt"
    said = token.claims
    assert said["iss"] == ISSUER
    assert (said["aud"], said["sub"], said["client_id"], said["desk"]) == ("crossrate", "ada", CLI, "main")
    assert (said["roles"], said["accounts"]) == (["trader", "viewer"], ["desk-*"])
    assert "instruments" not in said, "all of them"
    assert said["rate_class"] == "high", "by her roles"
    assert (said["amr"], said["acr"]) == (["pwd"], "1")
    assert 0 < said["exp"] - said["iat"] <= 300
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 300)
    spoken = jwt.decode(body["id_token"], keys, algorithms=["ES256"]).claims
    assert (spoken["aud"], spoken["sub"], spoken["nonce"], spoken["sid"]) == (CLI, "ada", "n-1", said["sid"])
    told = await browser.get("/oauth2/userinfo", headers={"authorization": f"Bearer {body['access_token']}"})
    assert (told.status_code, told.json()["sub"]) == (200, "ada")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:6000/callback"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_grant"),
        ({"client_id": "somebody"}, "invalid_client"),
        ({"code": "nothing"}, "invalid_grant"),
        ({"grant_type": "password", "username": "ada", "password": "x"}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
    ],
)
async def test_a_code_is_worth_nothing_without_all_that_belongs_to_it(
    identity: Stand, change: dict[str, str], error: str
) -> None:
    """Another verifier, redirect URI or client gets nothing for a stolen code; the owner still does."""
    name = f"pk-{abs(hash(str(change))) % 100000}"
    browser = await identity.person(name)
    verifier, challenge = pkce()
    right = {
        "grant_type": "authorization_code",
        "code": await browser.code(challenge),
        "redirect_uri": CALLBACK,
        "client_id": CLI,
        "code_verifier": verifier,
    }
    refused = await browser.token(**{k: v for k, v in (right | change).items() if v})
    assert refused.status_code in (400, 401)
    assert refused.json()["error"] == error
    assert (await browser.token(**right)).status_code == 200


async def test_a_code_that_comes_twice_ends_its_session(identity: Stand) -> None:
    """The second use gets nothing, and what the first got is void: one of the two was a thief."""
    browser = await identity.person("bob")
    verifier, challenge = pkce()
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "client_id": CLI, "code_verifier": verifier}
    code = await browser.code(challenge)
    first = (await browser.token(code=code, **form)).json()
    assert await active(identity, first["access_token"])
    second = await browser.token(code=code, **form)
    assert second.json()["error"] == "invalid_grant"
    assert not await active(identity, first["access_token"])
    assert (await browser.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    (fact,) = [f for f in await identity.facts("token_reused") if f.fact.subject.endswith(".bob")]
    assert identity_events_pb2.TokenReused.FromString(fact.fact.payload).token == "AUTHORIZATION_CODE"


async def test_a_code_is_good_for_a_minute(identity: Stand) -> None:
    """Later it is worth nothing."""
    browser = await identity.person("carl")
    verifier, challenge = pkce()
    code = await browser.code(challenge)
    identity.clock.move(61)
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "client_id": CLI, "code_verifier": verifier}
    assert (await browser.token(code=code, **form)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "query",
    [
        {"code_challenge": ""},
        {"code_challenge_method": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge": "too-short"},
        {"response_type": "token"},
        {"response_type": "code id_token"},
    ],
)
async def test_pkce_cannot_be_bargained_down(identity: Stand, query: dict[str, str]) -> None:
    """Without S256, or with another flow, the program gets an error with its state, never a code."""
    browser = identity.browser()
    answer = await browser.authorize(**({"code_challenge": pkce()[1]} | query))
    back = urlsplit(answer.headers["location"])
    assert answer.headers["location"].startswith(CALLBACK)
    said = parse_qs(back.query)
    assert said["error"][0] in ("invalid_request", "unsupported_response_type", "unauthorized_client")
    assert (said["state"], said["iss"]) == (["s-1"], [ISSUER])
    assert "code" not in said


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/callback",
        "http://127.0.0.1:5000/callback/../other",
        "http://127.0.0.1:5000/callback?x=1",
        "http://127.0.0.1:5000/callback#x",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1@evil.example/callback",
        "http://localhost:5000/callback",
        "http://127.0.0.1:99999/callback",
        "http://127.0.0.1:5000/Callback",
        "javascript:alert(1)",
        "//evil.example/callback",
        "",
    ],
)
async def test_nobody_is_sent_where_no_client_is(identity: Stand, uri: str) -> None:
    """A redirect URI that is not the client's is answered by a page, not by a redirection."""
    answer = await identity.browser().authorize(code_challenge=pkce()[1], redirect_uri=uri)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "evil" not in answer.text


async def test_a_refresh_rotates_and_its_reuse_ends_the_session(identity: Stand) -> None:
    """Each refresh token works once; a copy that is used ends the session for both, and is told."""
    browser = await identity.person("dora")
    body = await browser.tokens()
    second = (await browser.refresh(body["refresh_token"])).json()
    assert second["refresh_token"] != body["refresh_token"]
    assert claims_of(second["access_token"])["sid"] == claims_of(body["access_token"])["sid"]
    third = (await browser.refresh(second["refresh_token"])).json()
    assert await active(identity, third["access_token"])
    assert (await browser.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"
    assert not await active(identity, third["access_token"])
    assert (await browser.refresh(third["refresh_token"])).json()["error"] == "invalid_grant"
    sid = claims_of(body["access_token"])["sid"]
    (revoked,) = [f for f in await identity.facts("session_revoked") if f.fact.subject.endswith(f".{sid}")]
    assert identity_events_pb2.SessionRevoked.FromString(revoked.fact.payload).reason == "REUSE"
    assert any(f.fact.subject.endswith(".dora") for f in await identity.facts("token_reused"))


async def test_of_many_at_once_one_refresh_wins(identity: Stand) -> None:
    """Twenty uses of one token at the same time: at most one gets tokens, and the session is over."""
    browser = await identity.person("emil")
    body = await browser.tokens()
    answers = await asyncio.gather(*(browser.refresh(body["refresh_token"]) for _ in range(20)))
    given = [a.json() for a in answers if a.status_code == 200]
    assert len(given) == 1
    assert not await active(identity, given[0]["access_token"])


async def test_sessions_refresh_side_by_side_under_load(identity: Stand) -> None:
    """Eight sessions of one person refresh ten times each at once: none loses its chain, no two tokens are the same."""
    browser = await identity.person("fred")
    chains = [await browser.tokens() for _ in range(8)]

    async def run(body: dict) -> list[str]:
        got = []
        for _ in range(10):
            body = (await browser.refresh(body["refresh_token"])).json()
            got.append(body["access_token"])
        return got

    tokens = [token for chain in await asyncio.gather(*map(run, chains)) for token in chain]
    assert len({claims_of(token)["jti"] for token in tokens}) == 80
    assert len({claims_of(token)["sid"] for token in tokens}) == 8
    # None of them looks like an option behind a command, or like what a service takes for no id.
    assert all(re.fullmatch("[0-9a-f]{32}", claims_of(t)[name]) for t in tokens for name in ("jti", "sid"))


async def test_a_change_of_grants_is_in_the_next_token_and_voids_those_before(identity: Stand) -> None:
    """Tokens with grants of before are outdated by their `iat`; the next ones come later and have the new grants."""
    browser = await identity.person("gina")
    body = await browser.tokens()
    await identity.grant("gina", roles=[policy_pb2.ROLE_QUANT])
    assert not await active(identity, body["access_token"])
    fresh = (await browser.refresh(body["refresh_token"])).json()
    assert claims_of(fresh["access_token"])["roles"] == ["quant", "trader", "viewer"]
    assert await active(identity, fresh["access_token"])
    (fact,) = [f for f in await identity.facts("grants_changed") if f.fact.subject.endswith(".gina")][1:]
    told = identity_events_pb2.GrantsChanged.FromString(fact.fact.payload)
    assert claims_of(body["access_token"])["iat"] <= told.issued_until < claims_of(fresh["access_token"])["iat"]
    request = grants.RevokeAccessRequest(
        request_id=new_id(), subject="gina", access=access_pb2.Access(roles=[policy_pb2.ROLE_TRADER])
    )
    await identity.grants.RevokeAccess(request)
    assert not await active(identity, fresh["access_token"])


async def test_grants_that_change_under_load_never_leave_an_old_token_good(identity: Stand) -> None:
    """Tokens are got while grants change: each that is still good afterwards has the grants as they are."""
    browser = await identity.person("hugo")
    chains = [await browser.tokens() for _ in range(4)]
    got: list[str] = []

    async def refreshing(body: dict) -> None:
        for _ in range(6):
            body = (await browser.refresh(body["refresh_token"])).json()
            got.append(body["access_token"])

    async def granting() -> None:
        for number in range(6):
            await identity.grant("hugo", accounts=[f"a-{number}"])

    await asyncio.gather(granting(), *map(refreshing, chains))
    now = (await identity.grants.GetAccess(grants.GetAccessRequest(subject="hugo"))).access
    good = [token for token in got if await active(identity, token)]
    for token in good:
        assert claims_of(token)["accounts"] == list(now.accounts)
    (last, *_) = [(await browser.tokens())["access_token"]]
    assert await active(identity, last)


async def test_who_is_disabled_is_out_at_once(identity: Stand) -> None:
    """Tokens, refreshes, browsers and codes of a disabled person are worth nothing; enabled again, they stay so."""
    browser = await identity.person("ines")
    body = await browser.tokens()
    verifier, challenge = pkce()
    code = await browser.code(challenge)
    request = users.SetUserStateRequest(
        request_id=new_id(), name="ines", state=user_pb2.USER_STATE_DISABLED, comment="left"
    )
    await identity.users.SetUserState(request)
    assert not await active(identity, body["access_token"])
    assert (await browser.refresh(body["refresh_token"])).status_code == 400
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "client_id": CLI, "code_verifier": verifier}
    assert (await browser.token(code=code, **form)).json()["error"] == "invalid_grant"
    assert (await browser.get("/account/")).headers["location"] == "/login/"
    request = users.SetUserStateRequest(request_id=new_id(), name="ines", state=user_pb2.USER_STATE_ACTIVE)
    await identity.users.SetUserState(request)
    assert (await browser.refresh(body["refresh_token"])).status_code == 400


async def test_revocation_ends_a_session_by_either_token(identity: Stand) -> None:
    """RFC 7009: a refresh or an access token, also one that is no more; a foreign word changes nothing."""
    browser = await identity.person("jana")
    for kind in ("refresh_token", "access_token"):
        body = await browser.tokens()
        other = await browser.post("/oauth2/revoke", data={"token": body[kind], "client_id": "somebody"})
        assert (other.status_code, await active(identity, body["access_token"])) == (200, True)
        done = await browser.post("/oauth2/revoke", data={"token": body[kind], "client_id": CLI})
        assert (done.status_code, await active(identity, body["access_token"])) == (200, False)
        assert (await browser.refresh(body["refresh_token"])).status_code == 400
    assert (await browser.post("/oauth2/revoke", data={"token": "nothing"})).status_code == 200


# Devices


async def device_codes(browser: Browser) -> dict:
    """A program asks."""
    return (await browser.post("/oauth2/device_authorization", data={"client_id": CLI})).json()


async def test_a_device_waits_until_its_person_says_yes(identity: Stand) -> None:
    """Pending, told to slow down, then let in once; the code is typed by somebody who is logged in."""
    browser, program = await identity.person("karl"), identity.browser()
    asked = await device_codes(program)
    form = {"grant_type": DEVICE, "device_code": asked["device_code"], "client_id": CLI}
    assert (await program.token(**form)).json()["error"] == "authorization_pending"
    assert (await program.token(**form)).json()["error"] == "slow_down"
    shown = await browser.submit("/device", "/device", code=asked["user_code"].lower().replace("-", " "))
    assert "crossrate on the command line" in shown.text
    done = await browser.submit(shown, "/device", code=asked["user_code"], answer="yes")
    assert "is logged in as you" in done.text
    identity.clock.move(20)
    body = (await program.token(**form)).json()
    assert claims_of(body["access_token"])["sub"] == "karl"
    assert "refresh_token" in body
    assert (await program.token(**form)).json()["error"] == "invalid_grant"


async def test_a_device_that_is_refused_or_too_late_stays_out(identity: Stand) -> None:
    """No is no, and ten minutes are ten minutes."""
    browser, program = await identity.person("lena"), identity.browser()
    asked = await device_codes(program)
    page = await browser.submit("/device", "/device", code=asked["user_code"])
    await browser.submit(page, "/device", code=asked["user_code"], answer="no")
    form = {"grant_type": DEVICE, "client_id": CLI}
    assert (await program.token(device_code=asked["device_code"], **form)).json()["error"] == "access_denied"
    late = await device_codes(program)
    identity.clock.move(601)
    assert (await program.token(device_code=late["device_code"], **form)).json()["error"] == "expired_token"
    assert (await browser.submit("/device", "/device", code=late["user_code"])).status_code == 400


async def test_a_link_alone_lets_no_device_in(identity: Stand) -> None:
    """A code in the address is only filled in: the person sees who asks and says yes on a form of the page."""
    browser, program = await identity.person("mona"), identity.browser()
    asked = await device_codes(program)
    page = await browser.open(urlsplit(asked["verification_uri_complete"]).path + "?user_code=" + asked["user_code"])
    assert asked["user_code"] in page.text
    forged = await browser.post("/device", data={"code": asked["user_code"], "answer": "yes"})
    assert forged.status_code == 403
    form = {"grant_type": DEVICE, "device_code": asked["device_code"], "client_id": CLI}
    assert (await program.token(**form)).json()["error"] == "authorization_pending"


async def test_codes_of_devices_cannot_be_guessed(identity: Stand) -> None:
    """After five wrong codes a login may type no more, not even the right one."""
    browser, program = await identity.person("nina"), identity.browser()
    asked = await device_codes(program)
    for _ in range(5):
        assert (await browser.submit("/device", "/device", code="BBBB-BBBB")).status_code == 400
    assert (await browser.submit("/device", "/device", code=asked["user_code"])).status_code == 400
    assert asked["user_code"].replace("-", "").isalpha()


# Programs


async def program(identity: Stand, name: str, key: ECKey | OKPKey | None = None, **more: object) -> None:
    """Registers a client that proves itself by a key, or otherwise as told."""
    made = client_pb2.Client(name=name, desk="main", access=TRADER, **more)
    if key is not None:
        made.authentication = client_pb2.CLIENT_AUTHENTICATION_PRIVATE_KEY_JWT
        made.jwks = json.dumps({"keys": [key.as_dict(private=False) | {"kid": "1"}]})
    await identity.clients.CreateClient(clients.CreateClientRequest(request_id=new_id(), client=made))


def assertion(identity: Stand, name: str, key: ECKey | OKPKey, alg: str = "ES256", **change: object) -> str:
    """A client's assertion, with some claims changed; None takes one out."""
    now = int(identity.clock().timestamp())
    claims = {"iss": name, "sub": name, "aud": f"{ISSUER}/oauth2/token", "iat": now, "exp": now + 60, "jti": new_id()}
    claims = {k: v for k, v in (claims | change).items() if v is not None}
    return jwt.encode({"alg": alg, "kid": "1"}, claims, key, algorithms=[alg])


async def by_assertion(browser: Browser, signed: str, **more: str) -> dict:
    """Asks for a token by an assertion."""
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
    return (await browser.token(**(form | more))).json()


@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
async def test_a_program_proves_a_key(identity: Stand, alg: str) -> None:
    """private_key_jwt: a token for itself, no refresh token, and the same session when it comes again."""
    key = ECKey.generate_key("P-256") if alg == "ES256" else OKPKey.generate_key("Ed25519")
    name, browser = f"robot-{alg.lower()}", identity.browser()
    await program(identity, name, key, rate_class=access_pb2.RATE_CLASS_HIGH)
    body = await by_assertion(browser, assertion(identity, name, key, alg))
    said = claims_of(body["access_token"])
    assert (said["sub"], said["client_id"], said["rate_class"]) == (name, name, "high")
    assert "refresh_token" not in body
    again = await by_assertion(browser, assertion(identity, name, key, alg))
    assert claims_of(again["access_token"])["sid"] == said["sid"]
    assert len([f for f in await identity.facts("logged_in") if f.fact.subject.endswith(f".{name}")]) == 1


async def test_an_assertion_works_once_even_at_once(identity: Stand) -> None:
    """Twenty uses of one assertion at the same time: one gets a token."""
    key, browser = ECKey.generate_key("P-256"), identity.browser()
    await program(identity, "once", key)
    signed = assertion(identity, "once", key)
    answers = await asyncio.gather(*(by_assertion(browser, signed) for _ in range(20)))
    assert sum("access_token" in answer for answer in answers) == 1
    assert {a["error"] for a in answers if "error" in a} == {"invalid_client"}


async def test_a_token_may_be_bound_to_a_certificate(identity: Stand) -> None:
    """RFC 8705: the certificate's name lets the client in, its hash is in the token, and without it nothing is said."""
    san, fingerprint = "spiffe://crossrate/client/desk", hashlib.sha256(b"certificate").hexdigest()
    tls = client_pb2.CLIENT_AUTHENTICATION_TLS
    await program(identity, "tls-desk", authentication=tls, tls_san_uri=san)
    with_it = identity.browser(x_crossrate_client=san, x_crossrate_fingerprint=fingerprint)
    body = (await with_it.token(grant_type="client_credentials", client_id="tls-desk")).json()
    bound = base64.urlsafe_b64encode(bytes.fromhex(fingerprint)).decode().rstrip("=")
    assert claims_of(body["access_token"])["cnf"] == {"x5t#S256": bound}
    bearer = {"authorization": f"Bearer {body['access_token']}"}
    assert (await with_it.get("/oauth2/userinfo", headers=bearer)).status_code == 200
    for edge in (
        {},
        {"x_crossrate_client": "spiffe://crossrate/client/other", "x_crossrate_fingerprint": fingerprint},
        {"x_crossrate_client": san},
    ):
        other = identity.browser(**edge)
        refused = (await other.token(grant_type="client_credentials", client_id="tls-desk")).json()
        assert refused["error"] == "invalid_client", edge
    stolen = identity.browser(x_crossrate_client=san, x_crossrate_fingerprint="0" * 64)
    assert (await stolen.get("/oauth2/userinfo", headers=bearer)).status_code == 401


async def test_headers_of_trust_are_believed_of_the_edge_alone(identity: Stand) -> None:
    """A certificate's name in a header from anybody else is nobody's certificate."""
    san = "spiffe://crossrate/client/desk2"
    await program(identity, "tls-desk2", authentication=client_pb2.CLIENT_AUTHENTICATION_TLS, tls_san_uri=san)
    for proof in ("URI=spiffe://crossrate/trading", "", "URI=spiffe://crossrate/edge,URI=spiffe://crossrate/trading"):
        browser = identity.browser(x_crossrate_client=san, x_crossrate_fingerprint="1" * 64)
        browser.headers["x-forwarded-client-cert"] = proof
        answer = (await browser.token(grant_type="client_credentials", client_id="tls-desk2")).json()
        assert answer["error"] == "invalid_client", proof


async def test_an_api_key_is_shown_once_limits_and_ends(identity: Stand) -> None:
    """Exchanged for tokens of its owner with no more than it says; ended, its tokens are void."""
    await identity.person("olga")
    limit = access_pb2.Access(
        roles=[policy_pb2.ROLE_VIEWER, policy_pb2.ROLE_ADMIN], accounts=["desk-1"], instruments=["EUR/*"]
    )
    request = clients.CreateApiKeyRequest(
        request_id=new_id(), subject="olga", display_name="sheet", access=limit, rate_class=access_pb2.RATE_CLASS_LOW
    )
    made = await identity.keys.CreateApiKey(request)
    assert await identity.keys.CreateApiKey(request) == made, "the same request has the same answer"
    browser = identity.browser()
    form = {"grant_type": "client_credentials"}
    body = (await browser.post("/oauth2/token", data=form, auth=(made.api_key.key_id, made.secret))).json()
    said = claims_of(body["access_token"])
    assert (said["sub"], said["client_id"], said["rate_class"]) == ("olga", made.api_key.key_id, "low")
    assert (said["roles"], said["accounts"], said["instruments"]) == (["viewer"], ["desk-1"], ["EUR/*"])
    assert await active(identity, body["access_token"])
    assert await active(identity, made.secret)
    wrong = await browser.post("/oauth2/token", data=form, auth=(made.api_key.key_id, made.secret + "x"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    listed = await identity.keys.ListApiKeys(clients.ListApiKeysRequest(subject="olga"))
    assert made.secret not in str(listed)
    assert listed.api_keys[0].HasField("last_use_time")
    dump = str(await identity.database_dump())
    assert made.secret not in dump
    end = clients.RevokeApiKeyRequest(request_id=new_id(), key_id=made.api_key.key_id)
    assert (await identity.keys.RevokeApiKey(end)).api_key.revoked
    assert not await active(identity, body["access_token"])
    assert not await active(identity, made.secret)
    again = await browser.post("/oauth2/token", data=form, auth=(made.api_key.key_id, made.secret))
    assert again.json()["error"] == "invalid_client"


async def test_an_api_key_ends_by_itself(identity: Stand) -> None:
    """After its life it gets nothing."""
    await identity.person("paul")
    request = clients.CreateApiKeyRequest(
        request_id=new_id(), subject="paul", display_name="x", lifetime=duration_pb2.Duration(seconds=60)
    )
    made = await identity.keys.CreateApiKey(request)
    browser, form = identity.browser(), {"grant_type": "client_credentials"}
    body = (await browser.post("/oauth2/token", data=form, auth=(made.api_key.key_id, made.secret))).json()
    assert body["expires_in"] <= 60
    identity.clock.move(61)
    answer = await browser.post("/oauth2/token", data=form, auth=(made.api_key.key_id, made.secret))
    assert answer.json()["error"] == "invalid_client"


# Keys


async def test_keys_rotate_without_a_gap(identity: Stand) -> None:
    """A new key is published before it signs; what the old one signed is good until it ends; then the old one goes."""
    browser = await identity.person("rita")
    old = await browser.tokens()
    await identity.sessions.RotateSigningKeys(sessions.RotateSigningKeysRequest(request_id=new_id()))
    published = {key["kid"] for key in (await browser.get("/oauth2/jwks.json")).json()["keys"]}
    assert len(published) == 2
    still = (await browser.refresh(old["refresh_token"])).json()
    kid = lambda token: json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]  # noqa: E731
    assert kid(still["access_token"]) == kid(old["access_token"])
    identity.clock.move(31)
    new = (await browser.refresh(still["refresh_token"])).json()
    assert kid(new["access_token"]) != kid(old["access_token"])
    assert {kid(new["access_token"]), kid(old["access_token"])} == published
    assert await active(identity, still["access_token"])
    identity.clock.move(400)
    assert len((await browser.get("/oauth2/jwks.json")).json()["keys"]) == 1


async def test_a_compromised_key_is_gone_at_once_with_every_session(identity: Stand) -> None:
    """Dropped from the key set, its tokens are refused, and everybody logs in again."""
    browser = await identity.person("sven")
    body = await browser.tokens()
    request = sessions.RotateSigningKeysRequest(request_id=new_id(), compromised=True, comment="laptop stolen")
    (key,) = (await identity.sessions.RotateSigningKeys(request)).keys
    assert key.signing
    assert not await active(identity, body["access_token"])
    assert (await browser.refresh(body["refresh_token"])).status_code == 400
    assert await active(identity, (await browser.tokens())["access_token"])
