"""Identity's calls: persons, grants, clients, keys and sessions as an operator uses them; another provider's tokens."""

from __future__ import annotations

import asyncio
import json
import tempfile
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from crossrate.api.identity.v1 import access_pb2, client_pb2, identity_events_pb2, user_pb2
from crossrate.api.identity.v1 import client_service_pb2 as clients
from crossrate.api.identity.v1 import grant_service_pb2 as grants
from crossrate.api.identity.v1 import session_service_pb2 as sessions
from crossrate.api.identity.v1 import user_service_pb2 as users
from crossrate.api.policy.v1 import policy_pb2
from crossrate.rpc.errors import ErrorReason, failure_of
from services.identity.domain.person import SelfService
from services.identity.external import ExternalProvider
from services.identity.settings import External
from services.identity.store import grants as granting
from services.identity.store import people
from services.identity.store.writing import Change, Origin
from tests.integration.identity_stand import CLI, PASSWORD, TRADER, Stand, claims_of, stand

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PROVIDER = "https://id.example"
PROVIDER_KEY = RSAKey.generate_key(2048)
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


def provider(request: httpx.Request) -> httpx.Response:
    """Another provider's discovery and keys."""
    if request.url.path == "/.well-known/openid-configuration":
        return httpx.Response(200, json={"issuer": PROVIDER, "jwks_uri": f"{PROVIDER}/keys"})
    key = PROVIDER_KEY.as_dict(private=False) | {"kid": "p1", "use": "sig"}
    return httpx.Response(200, json={"keys": [key, {"kty": "oct", "k": "AAAA", "kid": "p2"}]})


def external() -> ExternalProvider:
    """That provider, with groups that give roles."""
    settings = External(
        issuer=PROVIDER,
        audience="crossrate",
        roles_claim="realm_access.roles",
        roles={"fx-traders": ("trader", "viewer"), "nobody": ("no_such_role",)},
        accounts_claim="fx_accounts",
    )
    return ExternalProvider(settings, httpx.MockTransport(provider))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def identity() -> AsyncIterator[Stand]:
    """One service for all of it."""
    with tempfile.TemporaryDirectory(prefix="xr-") as folder:
        async with stand(Path(folder), external()) as made:
            yield made


def new_id() -> str:
    """A request id."""
    return str(uuid.uuid4())


async def reason_of(call: Any) -> ErrorReason:
    """Why a call is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    failure = failure_of(refused.value)
    assert failure is not None, refused.value
    return failure.reason


def person(name: str, **more: str) -> user_pb2.User:
    """A person to be entered."""
    return user_pb2.User(name=name, desk=more.pop("desk", "main"), **more)


async def test_a_repeated_invitation_is_the_same_and_another_is_refused(identity: Stand) -> None:
    """One request id, one person and one link; kept sealed; the name is taken for ever, for clients too."""
    request = users.CreateUserRequest(request_id=new_id(), user=person("ada"), access=TRADER)
    made = await identity.users.CreateUser(request)
    assert await identity.users.CreateUser(request) == made
    assert made.ticket.url.split("=")[1] not in str(await identity.database_dump())
    changed = users.CreateUserRequest(request_id=request.request_id, user=person("other"))
    assert await reason_of(identity.users.CreateUser(changed)) is ErrorReason.REQUEST_ID_REUSED
    again = users.CreateUserRequest(request_id=new_id(), user=person("ada"))
    assert await reason_of(identity.users.CreateUser(again)) is ErrorReason.ALREADY_EXISTS
    tls = client_pb2.Client(name="ada", desk="main", authentication=3, tls_san_uri="spiffe://crossrate/client/x")
    client = clients.CreateClientRequest(request_id=new_id(), client=tls)
    assert await reason_of(identity.clients.CreateClient(client)) is ErrorReason.ALREADY_EXISTS


async def test_what_is_only_checked_changes_nothing(identity: Stand) -> None:
    """validate_only answers as if done, tells no link, leaves no row and no fact, and takes no name."""
    before = len(await identity.facts())
    request = users.CreateUserRequest(request_id=new_id(), user=person("bob"), validate_only=True)
    answer = await identity.users.CreateUser(request)
    assert (answer.user.name, answer.HasField("ticket")) == ("bob", False)
    assert await reason_of(identity.users.GetUser(users.GetUserRequest(name="bob"))) is ErrorReason.NOT_FOUND
    wrong = users.CreateUserRequest(request_id=new_id(), user=person("bob", desk="nowhere"), validate_only=True)
    assert await reason_of(identity.users.CreateUser(wrong)) is ErrorReason.NOT_FOUND
    assert len(await identity.facts()) == before
    await identity.users.CreateUser(users.CreateUserRequest(request_id=new_id(), user=person("bob")))


@pytest.mark.parametrize("name", ["", "Ada", "a b", "a.b", "x" * 33, "-a", "ä", "a/b", "a*", "a>", "x-ada", "k-ada"])
async def test_names_are_what_a_subject_can_carry(identity: Stand, name: str) -> None:
    """Others are refused by the contract."""
    request = users.CreateUserRequest(request_id=new_id(), user=person(name))
    assert await reason_of(identity.users.CreateUser(request)) is ErrorReason.INVALID_REQUEST


async def test_pages_have_everybody_once(identity: Stand) -> None:
    """In order of name, whatever the page's size; a token of another choice is refused."""
    desk = grants.CreateDeskRequest(request_id=new_id(), desk=grants.Desk(name="paging"))
    await identity.grants.CreateDesk(desk)
    assert (
        await reason_of(
            identity.grants.CreateDesk(grants.CreateDeskRequest(request_id=new_id(), desk=grants.Desk(name="paging")))
        )
        is ErrorReason.ALREADY_EXISTS
    )
    names = [f"p-{number:02}" for number in range(7)]
    for name in names:
        await identity.users.CreateUser(users.CreateUserRequest(request_id=new_id(), user=person(name, desk="paging")))
    for size in (1, 3, 7, 8):
        found, token = [], ""
        while True:
            page = await identity.users.ListUsers(
                users.ListUsersRequest(desk="paging", page_size=size, page_token=token)
            )
            assert len(page.users) <= size
            found += [user.name for user in page.users]
            if not (token := page.next_page_token):
                break
        assert found == names
    first = await identity.users.ListUsers(users.ListUsersRequest(desk="paging", page_size=1))
    foreign = users.ListUsersRequest(page_token=first.next_page_token)
    assert await reason_of(identity.users.ListUsers(foreign)) is ErrorReason.INVALID_REQUEST


async def test_a_version_that_is_not_there_is_refused(identity: Stand) -> None:
    """A write names what it read; two at once do not overwrite each other."""
    await identity.users.CreateUser(users.CreateUserRequest(request_id=new_id(), user=person("carl")))
    version = (await identity.users.GetUser(users.GetUserRequest(name="carl"))).user.version

    async def write(shown: str) -> Any:
        request = users.UpdateUserRequest(
            request_id=new_id(), user=person("carl", display_name=shown), expected_version=version
        )
        try:
            return await identity.users.UpdateUser(request)
        except grpc.aio.AioRpcError as error:
            return failure_of(error)

    done = await asyncio.gather(*(write(f"Carl {n}") for n in range(6)))
    assert sum(isinstance(d, users.UpdateUserResponse) for d in done) == 1
    assert {d.reason for d in done if not isinstance(d, users.UpdateUserResponse)} == {ErrorReason.VERSION_CONFLICT}


async def test_grants_are_of_sets_and_tell_before_and_after(identity: Stand) -> None:
    """Added twice is added once; what was not there is taken away without a word; each change is one fact."""
    await identity.users.CreateUser(users.CreateUserRequest(request_id=new_id(), user=person("dora")))
    await identity.grant("dora", roles=[policy_pb2.ROLE_VIEWER], accounts=["a*"])
    await identity.grant("dora", roles=[policy_pb2.ROLE_VIEWER])
    request = grants.RevokeAccessRequest(
        request_id=new_id(), subject="dora", access=access_pb2.Access(accounts=["a*", "b"]), comment="moved"
    )
    left = (await identity.grants.RevokeAccess(request)).access
    assert (list(left.roles), list(left.accounts)) == ([policy_pb2.ROLE_VIEWER], [])
    facts = [f for f in await identity.facts("grants_changed") if f.fact.subject.endswith(".dora")]
    told = [identity_events_pb2.GrantsChanged.FromString(f.fact.payload) for f in facts]
    assert [(list(t.before.accounts), list(t.after.accounts)) for t in told] == [([], ["a*"]), (["a*"], [])]
    assert told[1].comment == "moved"
    assert told[1].origin.principal == "client:operator"
    assert told[0].issued_until < told[1].issued_until
    empty = grants.GrantAccessRequest(request_id=new_id(), subject="dora", access=access_pb2.Access())
    assert await reason_of(identity.grants.GrantAccess(empty)) is ErrorReason.INVALID_REQUEST
    nobody = grants.GrantAccessRequest(request_id=new_id(), subject="nobody", access=TRADER)
    assert await reason_of(identity.grants.GrantAccess(nobody)) is ErrorReason.NOT_FOUND


async def test_nobody_does_it_to_themselves(identity: Stand) -> None:
    """Grants to oneself, one's own reset and one's own end need somebody else; taking from oneself does not."""
    await identity.users.CreateUser(users.CreateUserRequest(request_id=new_id(), user=person("emil"), access=TRADER))
    writer = identity.parts.writer
    admin = granting.Access.of(["admin"])

    async def grant(change: Change) -> None:
        await granting.change_access(change, "emil", "emil", more=admin)

    async def reset(change: Change) -> None:
        await people.reset(change, "emil", "emil", password=False, factors=True, comment="")

    async def disable(change: Change) -> None:
        await people.set_state(change, "emil", True, "emil", "")

    async def give_back(change: Change) -> None:
        await granting.change_access(change, "emil", "emil", less=granting.Access.of(["trader"]))

    for work in (grant, reset, disable):
        with pytest.raises(SelfService):
            await writer.change(Origin(), work)
    await writer.change(Origin(), give_back)
    access = (await identity.grants.GetAccess(grants.GetAccessRequest(subject="emil"))).access
    assert list(access.roles) == [policy_pb2.ROLE_VIEWER]


@pytest.mark.parametrize(
    ("client", "field"),
    [
        ({"authentication": 1, "redirect_uris": ["http://evil.example/x"]}, "client.redirect_uris[0]"),
        ({"authentication": 1, "redirect_uris": ["https://a.example/#x"]}, "client.redirect_uris[0]"),
        ({"authentication": 2}, "client.jwks"),
        ({"authentication": 2, "jwks": "{}"}, "client.jwks"),
        ({"authentication": 2, "jwks": '{"keys": [1]}'}, "client.jwks"),
        ({"authentication": 3}, "client.tls_san_uri"),
        ({"authentication": 3, "tls_san_uri": "spiffe://x/y", "jwks": "{}"}, "client.jwks"),
        ({"authentication": 1, "access": {"roles": [1]}}, "client.access"),
        ({"authentication": 0}, "client.authentication"),
    ],
)
async def test_a_client_that_does_not_fit_together_is_refused_by_field(
    identity: Stand, client: dict[str, Any], field: str
) -> None:
    """Keys with assertions, a certificate's name with TLS, redirect URIs with persons."""
    made = client_pb2.Client(name="misfit", desk="main", **client)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await identity.clients.CreateClient(clients.CreateClientRequest(request_id=new_id(), client=made))
    failure = failure_of(refused.value)
    assert failure is not None
    assert field in {violation.field for violation in failure.violations}


async def test_a_private_key_that_is_sent_by_mistake_is_not_kept(identity: Stand) -> None:
    """It is refused by name, and stands nowhere."""
    key = OKPKey.generate_key("Ed25519")
    jwks = json.dumps({"keys": [key.as_dict(private=True) | {"kid": "1"}]})
    made = client_pb2.Client(name="careless", desk="main", authentication=2, jwks=jwks)
    request = clients.CreateClientRequest(request_id=new_id(), client=made)
    assert await reason_of(identity.clients.CreateClient(request)) is ErrorReason.INVALID_REQUEST
    assert key.as_dict(private=True)["d"] not in str(await identity.database_dump())


async def test_a_client_changes_keys_and_is_put_out(identity: Stand) -> None:
    """The old key is refused after the change; disabled, nothing gets in and its tokens are void."""
    old, new = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
    sets = [json.dumps({"keys": [k.as_dict(private=False) | {"kid": "1"}]}) for k in (old, new)]
    made = client_pb2.Client(name="robot", desk="main", authentication=2, jwks=sets[0], access=TRADER)
    await identity.clients.CreateClient(clients.CreateClientRequest(request_id=new_id(), client=made))
    browser = identity.browser()

    async def asked(key: ECKey) -> dict[str, Any]:
        now = int(identity.clock().timestamp())
        said = {"iss": "robot", "sub": "robot", "aud": "https://localhost:8443", "iat": now, "exp": now + 60}
        assertion = jwt.encode({"alg": "ES256", "kid": "1"}, said | {"jti": new_id()}, key)
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        form = {"grant_type": "client_credentials", "client_assertion_type": kind, "client_assertion": assertion}
        return (await browser.token(**form)).json()

    assert "access_token" in await asked(old)
    await identity.clients.SetClientKeys(clients.SetClientKeysRequest(request_id=new_id(), name="robot", jwks=sets[1]))
    assert (await asked(old))["error"] == "invalid_client"
    token = (await asked(new))["access_token"]
    request = clients.SetClientStateRequest(request_id=new_id(), name="robot", disabled=True, comment="lost")
    assert (await identity.clients.SetClientState(request)).client.disabled
    assert (await asked(new))["error"] == "invalid_client"
    assert not (await identity.sessions.Introspect(sessions.IntrospectRequest(token=token))).active
    reasons = [
        identity_events_pb2.LoginFailed.FromString(f.fact.payload).reason
        for f in await identity.facts("login_failed")
        if f.fact.subject.endswith(".robot")
    ]
    assert "ASSERTION" in reasons


async def test_sessions_are_listed_and_ended(identity: Stand) -> None:
    """Newest first, page by page; one or all of a person; what was over counts as none."""
    browser = await identity.person("fred")
    bodies = [await browser.tokens() for _ in range(3)]
    sids = [claims_of(body["access_token"])["sid"] for body in bodies]
    found, token = [], ""
    while True:
        page = await identity.sessions.ListSessions(
            sessions.ListSessionsRequest(subject="fred", page_size=2, page_token=token)
        )
        found += [s.session_id for s in page.sessions]
        if not (token := page.next_page_token):
            break
    assert found == sids[::-1]
    one = sessions.RevokeSessionRequest(request_id=new_id(), session_id=sids[0], comment="x")
    assert (await identity.sessions.RevokeSession(one)).count == 1
    again = sessions.RevokeSessionRequest(request_id=new_id(), session_id=sids[0])
    assert (await identity.sessions.RevokeSession(again)).count == 0
    every = sessions.RevokeSessionsRequest(request_id=new_id(), subject="fred")
    assert (await identity.sessions.RevokeSessions(every)).count == 2
    nothing = sessions.RevokeSessionRequest(request_id=new_id(), session_id="x" * 32)
    assert await reason_of(identity.sessions.RevokeSession(nothing)) is ErrorReason.NOT_FOUND
    assert (await browser.refresh(bodies[2]["refresh_token"])).status_code == 400


# Another provider


def foreign(change: dict[str, Any] | None = None, key: Any = PROVIDER_KEY, alg: str = "RS256", kid: str = "p1") -> str:
    """A token of the other provider, with some claims changed; `...` takes one out."""
    claims: dict[str, Any] = {
        "iss": PROVIDER,
        "aud": ["account", "crossrate"],
        "sub": "4711",
        "preferred_username": "Greta.Garbo@fx.example",
        "name": "Greta Garbo",
        "realm_access": {"roles": ["fx-traders", "other", "nobody"]},
        "fx_accounts": ["spot-1", "BAD NAME", "spot-2"],
        "amr": ["pwd", "otp"],
        "iat": 0,
        "exp": 0,
    }
    claims = {k: v for k, v in (claims | (change or {})).items() if v is not ...}
    return jwt.encode({"alg": alg, "kid": kid, "typ": "JWT"}, claims, key, algorithms=[alg])


async def exchange(identity: Stand, token: str) -> httpx.Response:
    """Asks for one of ours."""
    form = {
        "grant_type": EXCHANGE,
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "client_id": CLI,
    }
    return await identity.browser().token(**form)


async def test_another_provider_s_claims_become_grants(identity: Stand) -> None:
    """Roles by the settings, accounts by a claim, the name marked as theirs; a second factor there is one here."""
    now = int(identity.clock().timestamp())
    answer = await exchange(identity, foreign({"iat": now, "exp": now + 300}))
    assert answer.status_code == 200, answer.text
    said = claims_of(answer.json()["access_token"])
    assert (said["sub"], said["name"], said["desk"]) == ("x-greta-garbo", "Greta Garbo", "main")
    assert (said["roles"], said["accounts"]) == (["trader", "viewer"], ["spot-1", "spot-2"])
    assert (said["acr"], said["auth_time"]) == ("2", now)
    token = answer.json()["access_token"]
    assert (await identity.sessions.Introspect(sessions.IntrospectRequest(token=token))).active
    end = sessions.RevokeSessionsRequest(request_id=new_id(), subject="x-greta-garbo")
    assert (await identity.sessions.RevokeSessions(end)).count == 1
    assert not (await identity.sessions.Introspect(sessions.IntrospectRequest(token=token))).active


@pytest.mark.parametrize(
    "flaw", ["issuer", "audience", "expired", "future", "key", "kid", "hs256", "es256", "subject", "form", "none"]
)
async def test_what_is_not_that_provider_s_word_is_refused(identity: Stand, flaw: str) -> None:
    """Another issuer, audience, time, key, algorithm, or no name."""
    now = int(identity.clock().timestamp())
    good: dict[str, Any] = {"iat": now, "exp": now + 300}
    made = {
        "issuer": lambda: foreign(good | {"iss": "https://evil.example"}),
        "audience": lambda: foreign(good | {"aud": "account"}),
        "expired": lambda: foreign(good | {"exp": now - 60}),
        "future": lambda: foreign(good | {"iat": now + 600}),
        "key": lambda: foreign(good, RSAKey.generate_key(2048)),
        "kid": lambda: foreign(good, RSAKey.generate_key(2048), kid="p9"),
        "hs256": lambda: foreign(good).rpartition(".")[0] + ".AAAA",
        "es256": lambda: foreign(good, ECKey.generate_key("P-256"), "ES256"),
        "subject": lambda: foreign(good | {"preferred_username": "@"}),
        "form": lambda: "a.b",
        "none": lambda: "",
    }[flaw]()
    answer = await exchange(identity, made)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_no_person_of_theirs_is_one_of_ours(identity: Stand) -> None:
    """Who is called admin there is x-admin here, without our admin's roles."""
    now = int(identity.clock().timestamp())
    answer = await exchange(identity, foreign({"iat": now, "exp": now + 300, "preferred_username": "admin"}))
    said = claims_of(answer.json()["access_token"])
    assert said["sub"] == "x-admin"
    assert "admin" not in said["roles"]
    assert PASSWORD not in answer.text
