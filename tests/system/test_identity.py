"""Identity in the whole mesh: browsers, programs and the command line through the real edge, facts on the real NATS."""

from __future__ import annotations

import collections
import json
import os
import re
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import grpc
import httpx
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from pyotp import TOTP

from crossrate.client import CallError, Client
from crossrate.client.login import by_browser
from crossrate.client.tokens import ApiKey, ClientCredentials, Endpoint, StoredLogin, claims_of, keep_login
from tests.ending import joined
from tests.mesh import Mesh

pytestmark = pytest.mark.system

PASSWORD = "a password of the system test"


@pytest.fixture(scope="module")
def mesh() -> Iterator[Mesh]:
    """A mesh of its own: the first admin is new."""
    with Mesh() as made:
        made.up()
        yield made


def target(mesh: Mesh) -> str:
    """The edge."""
    return f"localhost:{mesh.edge_port}"


def opened(mesh: Mesh, certificate: Path | None = None) -> httpx.Client:
    """A browser, or a program."""
    trust = ssl.create_default_context(cadata=mesh.roots.decode())
    if certificate is not None:
        trust.load_cert_chain(certificate)
    return httpx.Client(base_url=f"https://{target(mesh)}", verify=trust, timeout=60, trust_env=False)


def submit(browser: httpx.Client, page: str, path: str, **form: str) -> httpx.Response:
    """Opens a page, following redirections within the site, and sends its form."""
    shown = browser.get(page)
    while shown.is_redirect and shown.headers["location"].startswith("/"):
        shown = browser.get(shown.headers["location"])
    found = re.search(r'name="csrf" value="([^"]+)"', shown.text)
    assert found, shown.text
    return browser.post(path, data={"csrf": found[1], **form})


def person(mesh: Mesh, name: str, *access: str) -> httpx.Client:
    """A person whom the owner of this machine has invited, in a browser that is logged in."""
    url = mesh.command("users", "invite", name, *access).strip()
    browser, parts = opened(mesh), urlsplit(url)
    ticket = parse_qs(parts.query)["ticket"][0]
    form = {"ticket": ticket, "new": PASSWORD, "again": PASSWORD}
    assert submit(browser, f"{parts.path}?{parts.query}", "/login/ticket", **form).status_code == 303
    assert submit(browser, "/login/", "/login/", name=name, password=PASSWORD).status_code == 303
    return browser


def test_the_first_admin_logs_in_and_invites(mesh: Mesh) -> None:
    """The one-time password of the first start works once, through the edge, and leads to an own one."""
    first = json.loads((mesh.place.state / "identity" / "first-login.json").read_text())
    assert urlsplit(first["url"]).netloc == target(mesh)
    browser = opened(mesh)
    answer = submit(browser, "/login/", "/login/", name=first["name"], password=first["password"])
    assert answer.status_code == 303
    form = {"old": first["password"], "new": PASSWORD, "again": PASSWORD}
    assert submit(browser, "/account/password", "/account/password", **form).status_code == 303
    assert "admin" in browser.get("/account/").text
    assert submit(opened(mesh), "/login/", "/login/", name="admin", password=first["password"]).status_code == 401


def test_another_library_s_client_logs_in(mesh: Mesh) -> None:
    """Authlib's client goes by the discovery document: code with PKCE, keys, refresh, user info, revocation."""
    browser = person(mesh, "ada", "--role", "trader,viewer", "--account", "*", "--instrument", "*")
    known = opened(mesh).get("/.well-known/openid-configuration").json()
    assert known["issuer"] == f"https://{target(mesh)}"
    program = OAuth2Client(
        client_id="crossrate-cli",
        redirect_uri="http://127.0.0.1:5000/callback",
        scope="openid profile offline_access",
        code_challenge_method="S256",
        token_endpoint_auth_method="none",
        verify=ssl.create_default_context(cadata=mesh.roots.decode()),
        trust_env=False,
    )
    verifier = "v" * 64
    url, state = program.create_authorization_url(known["authorization_endpoint"], code_verifier=verifier)
    parts = urlsplit(url)
    done = submit(browser, f"{parts.path}?{parts.query}", "/oauth2/authorize", answer="yes")
    token = program.fetch_token(
        known["token_endpoint"], authorization_response=done.headers["location"], state=state, code_verifier=verifier
    )
    keys = KeySet.import_key_set(opened(mesh).get(urlsplit(known["jwks_uri"]).path).json())
    said = jwt.decode(token["access_token"], keys, algorithms=["ES256"]).claims
    assert (said["sub"], said["iss"], said["aud"]) == ("ada", known["issuer"], "crossrate")
    again = program.refresh_token(known["token_endpoint"], refresh_token=token["refresh_token"])
    assert again["refresh_token"] != token["refresh_token"]
    assert program.get(known["userinfo_endpoint"]).json()["sub"] == "ada"
    program.revoke_token(known["revocation_endpoint"], again["refresh_token"], "refresh_token")
    assert program.get(known["userinfo_endpoint"]).status_code == 401


def test_programs_come_in_by_key_certificate_and_api_key(mesh: Mesh, tmp_path: Path) -> None:
    """By Authlib's assertion and by the SDK's; by the certificate that the edge saw, to which the token is bound; by a
    key that was shown once."""
    key = ECKey.generate_key("P-256")
    jwks = tmp_path / "robot.jwks"
    jwks.write_text(json.dumps({"keys": [key.as_dict(private=False) | {"kid": "1"}]}))
    access = ("--role", "trader", "--account", "desk-*", "--instrument", "*")
    mesh.command("clients", "create", "robot", "--jwks", str(jwks), *access)
    place = f"https://{target(mesh)}/oauth2/token"
    program = OAuth2Client(
        "robot",
        key,
        token_endpoint_auth_method="private_key_jwt",
        verify=ssl.create_default_context(cadata=mesh.roots.decode()),
        trust_env=False,
    )
    program.register_client_auth_method(PrivateKeyJWT(place, alg="ES256", headers={"kid": "1"}))
    assert claims_of(program.fetch_token(place, grant_type="client_credentials")["access_token"])["sub"] == "robot"
    source = ClientCredentials(target(mesh), "robot", key.as_pem(private=True), ca=mesh.roots)
    assert claims_of(source.current())["accounts"] == ["desk-*"]
    assert source.renew(source.current())

    mesh.command("clients", "create", "recorder", "--certificate", "local", "--role", "viewer")
    proof = mesh.place.client_certificate("local")
    bound = ClientCredentials(target(mesh), "recorder", certificate=proof, ca=mesh.roots).current()
    assert len(claims_of(bound)["cnf"]["x5t#S256"]) == 43
    bearer = {"authorization": f"Bearer {bound}"}
    assert opened(mesh, proof).get("/oauth2/userinfo", headers=bearer).status_code == 200
    assert opened(mesh).get("/oauth2/userinfo", headers=bearer).status_code == 401
    form = {"grant_type": "client_credentials", "client_id": "recorder"}
    assert opened(mesh).post("/oauth2/token", data=form).json()["error"] == "invalid_client"

    secret = mesh.command("keys", "create", "sheet", "--of", "admin", "--role", "admin").strip()
    assert claims_of(ApiKey(target(mesh), secret, ca=mesh.roots).current())["sub"] == "admin"


def test_the_command_line_logs_in_with_a_code(mesh: Mesh) -> None:
    """`crossrate login --device` waits, a person lets it in, `whoami` and `token` are that person, `logout` ends it."""
    browser = person(mesh, "bob", "--role", "trader", "--account", "bob-*")
    command = [sys.executable, "-m", "crossrate.cli", "login", "--device", "--json"]
    with subprocess.Popen(command, env=mesh.environment, stdout=subprocess.PIPE, text=True) as login:
        assert login.stdout is not None
        asked = json.loads(login.stdout.readline())
        form = {"code": asked["user_code"], "answer": "yes"}
        assert "is logged in as you" in submit(browser, "/device", "/device", **form).text
        assert login.wait(timeout=60) == 0
    assert mesh.json("whoami")["sub"] == "bob"
    token = mesh.command("token").strip()
    assert claims_of(token)["roles"] == ["trader"]
    assert "other-1" in mesh.refused("positions", "other-1")
    assert "CALLER_NOT_ALLOWED" in mesh.refused("accounts", "open", "bob-1")
    mesh.command("accounts", "open", "bob-1", "--client", "local")
    assert mesh.json("positions", "bob-1") == {"bob-1": []}
    kept = next((mesh.place.state / "logins").glob("*.json"))
    assert kept.stat().st_mode & 0o777 == 0o600
    assert mesh.json("logout")["loggedOut"]
    assert opened(mesh).get("/oauth2/userinfo", headers={"authorization": f"Bearer {token}"}).status_code == 401
    assert "nobody is logged in" in mesh.refused("token")


def test_the_command_line_proves_a_second_factor_on_another_device(mesh: Mesh) -> None:
    """`crossrate login --device --step-up` has the person prove a one-time code there; then a deposit is taken, which
    the session without it may not make."""
    browser = person(mesh, "dina", "--role", "operator", "--account", "*")
    shown = browser.get("/account/totp").text
    found = re.search(r"<code>([A-Z2-7]+)</code>", shown)
    assert found
    generator = TOTP(found[1])
    assert submit(browser, "/account/totp", "/account/totp", code=generator.now()).status_code == 200
    mesh.command("accounts", "open", "dina-1", "--client", "local")
    browser = opened(mesh)
    assert submit(browser, "/login/", "/login/", name="dina", password=PASSWORD).status_code == 303
    command = [sys.executable, "-m", "crossrate.cli", "login", "--device", "--step-up", "--json"]
    with subprocess.Popen(command, env=mesh.environment, stdout=subprocess.PIPE, text=True) as login:
        assert login.stdout is not None
        asked = json.loads(login.stdout.readline())
        # The code of the set-up was used: the next one is good as well, a step early.
        code = generator.at(time.time() + 30)
        assert submit(browser, "/login/factor", "/login/factor", code=code).status_code == 303
        form = {"code": asked["user_code"], "answer": "yes"}
        assert "is logged in as you" in submit(browser, "/device", "/device", **form).text
        assert login.wait(timeout=60) == 0
    assert mesh.json("whoami")["acr"] == "2"
    mesh.command("accounts", "deposit", "dina-1", "100", "EUR")
    assert mesh.json("logout")["loggedOut"]


def test_a_program_logs_in_by_the_browser_and_shares_its_login(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback redirection of the SDK; four processes that refresh one login at once end with one session."""
    browser = person(mesh, "carl", "--role", "viewer")
    monkeypatch.setenv("CROSSRATE_STATE", str(mesh.place.state))
    endpoint = Endpoint(target(mesh), mesh.roots)

    def walk(address: str) -> None:
        parts = urlsplit(address)
        done = submit(browser, f"{parts.path}?{parts.query}", "/oauth2/authorize", answer="yes")
        httpx.get(done.headers["location"], trust_env=False)

    threads: list[threading.Thread] = []

    def open_page(address: str) -> None:
        threads.append(threading.Thread(target=walk, args=(address,)))
        threads[0].start()

    told = by_browser(endpoint, open_page=open_page)
    joined(threads[0], "the walk through the pages")
    # As if it had ended already, so that each of them wants another at once.
    keep_login(target(mesh), told | {"expires_in": 1}, mesh.roots)
    program = "from crossrate.client.tokens import *; import sys; print(StoredLogin(sys.argv[1]).current())"
    command = [sys.executable, "-c", program, target(mesh)]
    paths = os.pathsep.join(str(Path(__file__).resolve().parents[2] / name) for name in ("libs", "."))
    environment = mesh.environment | {"PYTHONPATH": paths}
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    got = {process.communicate(timeout=60)[0].strip() for process in running}
    assert len(got) == 1
    assert claims_of(got.pop())["sid"] == claims_of(told["access_token"])["sid"]
    source = StoredLogin(target(mesh))
    assert source.renew(source.current())
    assert mesh.json("logout")["loggedOut"]


def test_every_service_judges_a_program_s_token_until_its_session_ends(mesh: Mesh, tmp_path: Path) -> None:
    """Its account over gRPC and REST, no other account, no other role's method; ended, the token that is still young is
    refused and the stream that it opened ends and says why."""
    for account in ("book-1", "other-1"):
        mesh.command("accounts", "open", account)
    key = ECKey.generate_key("P-256")
    jwks = tmp_path / "clerk.jwks"
    jwks.write_text(json.dumps({"keys": [key.as_dict(private=False) | {"kid": "1"}]}))
    access = ("--role", "trader", "--account", "book-*", "--instrument", "*")
    mesh.command("clients", "create", "clerk", "--jwks", str(jwks), *access)
    token = ClientCredentials(target(mesh), "clerk", key.as_pem(private=True), ca=mesh.roots).current()
    bearer = {"authorization": f"Bearer {token}"}
    program, orders = opened(mesh), "/v1/accounts/{}/orders"
    assert program.get(orders.format("book-1")).status_code == 401
    first = program.get(orders.format("book-1"), headers=bearer)
    assert first.status_code == 200, first.text
    assert program.get(orders.format("other-1"), headers=bearer).status_code == 403
    spoilt = {"authorization": bearer["authorization"][:-6] + "AAAAAA"}
    assert program.get(orders.format("book-1"), headers=spoilt).status_code == 401
    with Client(target(mesh), ca=mesh.roots, token=token) as client:
        assert list(client.trading.ListOrders(account="book-1").orders) == []
        for refused in (
            lambda: client.trading.ListOrders(account="other-1"),
            lambda: client.identity.ListUsers(),
            lambda: client.control.ListSnapshots(),
        ):
            with pytest.raises(CallError) as error:
                refused()
            assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED
        stream = iter(client.trading.StreamExecutions(account="book-1"))
        next(stream)
        began = time.monotonic()
        mesh.command("sessions", "end", claims_of(token)["sid"], "-m", "test")
        with pytest.raises(CallError) as ended:
            collections.deque(stream, maxlen=0)
        assert time.monotonic() - began < 60
        assert (ended.value.code(), ended.value.reason) == (grpc.StatusCode.UNAUTHENTICATED, "SESSION_REVOKED")
        while (answer := program.get(orders.format("book-1"), headers=bearer)).status_code != 401:
            assert time.monotonic() - began < 60, answer.text


def test_tokens_outlive_a_killed_service(mesh: Mesh) -> None:
    """kill -9: sessions, keys and refresh tokens are as they were, and the edge finds the next instance by itself."""
    secret = mesh.command("keys", "create", "kill", "--of", "admin").strip()
    source = ApiKey(target(mesh), secret, ca=mesh.roots)
    before, keys = source.current(), opened(mesh).get("/oauth2/jwks.json").json()
    pid = mesh.processes()["identity-1"]["pid"]
    os.kill(pid, 9)
    end = time.monotonic() + 60
    while True:
        answer = opened(mesh).get("/oauth2/jwks.json")
        if answer.status_code == 200 and mesh.processes()["identity-1"]["pid"] != pid:
            break
        assert time.monotonic() < end, answer.text
    assert answer.json() == keys
    bearer = {"authorization": f"Bearer {before}"}
    assert opened(mesh).get("/oauth2/userinfo", headers=bearer).status_code == 200
    assert source.renew(before)


def test_facts_of_revocations_are_on_nats_within_seconds(mesh: Mesh) -> None:
    """What services follow: the session by its id, the subject by its name, in order, in the stream of identity."""
    secret = mesh.command("keys", "create", "told", "--of", "admin").strip()
    sid = claims_of(ApiKey(target(mesh), secret, ca=mesh.roots).current())["sid"]
    program = """
import asyncio, sys
from crossrate.events import Events
from crossrate.runtime.process import RuntimeSettings, open_runtime
async def main():
    events = await Events.open(open_runtime(RuntimeSettings(service="identity", instance="identity-9")))
    async for event in events.replay("identity"):
        print(event.subject)
    await events.close()
asyncio.run(main())
"""
    began = time.monotonic()
    mesh.command("sessions", "end", sid, "-m", "test")
    wanted = f"crossrate.identity.v1.session_revoked.{sid}"
    while True:
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=mesh.environment, capture_output=True, text=True, timeout=60, check=True)
        if wanted in done.stdout.split():
            break
        assert time.monotonic() - began < 120, done.stdout
    assert "crossrate.identity.v1.user_changed.admin" in done.stdout.split()
