"""Tokens and requests that nobody honest sends: none is accepted, none finds a way around the checks."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from crossrate.api.control.v1 import control_service_pb2 as control
from tests.fuzz.edge import Rounds
from tests.integration.guarded import GuardedMesh, guarded_mesh
from tests.integration.raw_http import RawHttp
from tests.issuer import Issuer, compact, encoded

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

WORKERS = 16
SEED = 7
READ = ("GET", "/v1/currencies")
OPERATE = ("GET", "/v1/mesh/status")
"""What only operators, auditors and admins may ask."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory) -> AsyncIterator[GuardedMesh]:
    """A guarded mesh."""
    async with guarded_mesh(tmp_path_factory.mktemp("hostile")) as made:
        yield made


def hmac_of(key: bytes, signed: str) -> bytes:
    """HS256."""
    mac = hmac.HMAC(key, hashes.SHA256())
    mac.update(signed.encode())
    return mac.finalize()


def bad_headers(issuer: Issuer) -> Iterator[tuple[str, str]]:
    """Good claims under headers that lie about algorithm or key; signed by whoever the header would have."""
    claims, other = issuer.claims(), Issuer("test-1")
    public = issuer.key.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    jwk = json.dumps(issuer.jwk()).encode()
    for name in ("none", "None", "NONE", "nOnE", "", "null"):
        yield f"alg {name!r} without a signature", compact(issuer.header(alg=name), claims, b"")
        yield f"alg {name!r} with any signature", compact(issuer.header(alg=name), claims, b"x" * 64)
    for name in ("HS256", "HS384", "HS512"):
        for key in (pem, der, jwk, b"", b"secret", issuer.key_id.encode()):
            head = issuer.header(alg=name)
            signed = compact(head, claims, b"").rpartition(".")[0]
            yield f"{name} keyed with something public", f"{signed}.{encoded(hmac_of(key, signed))}"
    for name in ("ES384", "ES512", "RS256", "RS512", "PS256", "EdDSA", "ES256K", "es256", "ES256 "):
        yield f"alg {name!r} over a signature of ES256", issuer.sign(issuer.header(alg=name), claims)
    rsa_key = rsa.generate_private_key(65537, 2048)
    for name in ("RS256", "PS256"):
        head = issuer.header(alg=name)
        signed = compact(head, claims, b"").rpartition(".")[0]
        signature = rsa_key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        yield f"{name} by a key of one's own", f"{signed}.{encoded(signature)}"
    own = {"jwk": other.jwk(), "x5c": [base64.b64encode(der).decode()], "jku": "https://localhost:1/keys"}
    own |= {"x5u": "https://localhost:1/cert", "kid": "test-1", "x5t": encoded(b"x" * 20), "crit": ["exp"]}
    for size in (1, 2, 3):
        for names in itertools.combinations(sorted(own), size):
            head = issuer.header() | {name: own[name] for name in names}
            yield f"another's key, header with {names}", other.sign(head, claims)
    for kid in ("", "../../dev/null", "/dev/null", "' OR 1=1 --", "test-1\0", "test-2", "x" * 4096, "test-1/../test-1"):
        yield f"another's key under kid {kid[:20]!r}", other.sign(issuer.header(kid=kid), claims)
    yield "another's key without kid", other.sign(issuer.header(kid=None), claims)
    for typ in ("JWT", "id+jwt", "jwt", "dpop+jwt", "logout+jwt", ""):
        yield f"an ID token or another kind, typ {typ!r}", issuer.sign(issuer.header(typ=typ), claims)
    yield "no typ", issuer.sign(issuer.header(typ=None), claims)


def bad_claims(issuer: Issuer) -> Iterator[tuple[str, str]]:
    """Signed by the right key, and still nothing: claims that are missing, of another kind, or of another time."""
    now = int(time.time())
    for name in ("iss", "aud", "sub", "client_id", "iat", "nbf", "exp", "jti", "sid", "roles", "accounts"):
        claims = issuer.claims()
        yield f"without {name}", issuer.sign(issuer.header(), {n: v for n, v in claims.items() if n != name})
        for value in ([], {}, True, 1.5, "", "x\0y", None, [None], {"a": "b"}, -1, [["viewer"]]):
            is_fine = (name in ("roles", "accounts") and value == []) or (name == "nbf" and value == 1.5)
            if value is not None and not is_fine:
                yield f"{name} = {value!r}", issuer.sign(issuer.header(), claims | {name: value})
    for name, value in {
        "iss": ["https://LOCALHOST:8443", "https://localhost:8443/", "https://localhost:8443.evil.example", "http://localhost:8443"],
        "aud": ["Crossrate", "crossrate ", "crossrate.example", ["other"], ["crossrate2"], "cli"],
    }.items():  # fmt: skip
        for each in value:
            yield f"{name} = {each!r}", issuer.token(**{name: each})
    for issued, begins, ends in (
        (now - 400, now - 400, now - 100),
        (now - 310, now - 310, now - 10),
        (now - 301, now - 301, now - 6),
        (now, now + 30, now + 300),
        (now + 30, now + 30, now + 300),
        (now, now, now + 301),
        (now, now, now + 86_400),
        (now - 600, now - 600, now + 200),
        (now, now, 1 << 40),
        (now, now, 1 << 62),
        (now, now, 0),
        (0, 0, now + 100),
        (now + 100, now + 100, now + 50),
    ):
        yield f"times {issued - now}, {begins - now}, {ends - now}", issuer.token(iat=issued, nbf=begins, exp=ends)
    for confirmed in ({"x5t#S256": encoded(b"\0" * 32)}, {"x5t#S256": "x"}, {"jkt": "x"}, {}, "x", []):
        yield f"bound to {confirmed!r}", issuer.token(cnf=confirmed)
    whole = json.dumps(issuer.claims())
    for twice in ('"roles":["admin"],', '"sub":"u-0",', '"exp":9999999999,', '"aud":"crossrate",', '"iss":"x",'):
        yield f"a claim twice: {twice}", issuer.sign(issuer.header(), "{" + twice + whole[1:])
        yield f"a claim twice, last: {twice}", issuer.sign(issuer.header(), whole[:-1] + "," + twice[:-1] + "}")
    yield "claims that are a list", issuer.sign(issuer.header(), [issuer.claims()])
    yield "claims that are text", issuer.sign(issuer.header(), '"x"')
    yield "claims that nest", issuer.sign(issuer.header(), '{"a":' + "[" * 5000 + "]" * 5000 + "}")
    yield "claims with NaN", issuer.sign(issuer.header(), whole[:-1] + ',"x":NaN}')
    yield "a token in a token", issuer.sign(issuer.header(cty="JWT"), issuer.token())
    yield "an account that is none", issuer.token(accounts=["a b"])
    yield "too many accounts", issuer.token(accounts=[f"a{i}" for i in range(300)])


def bad_forms(issuer: Issuer) -> Iterator[tuple[str, str]]:
    """A good token, damaged."""
    good = issuer.token()
    head, claims, signature = good.split(".")
    yield from (
        ("", ""),
        ("one part", head),
        ("two parts", f"{head}.{claims}"),
        ("an empty signature", f"{head}.{claims}."),
        ("four parts", f"{good}.{signature}"),
        ("empty parts", ".."),
        ("no header", f".{claims}.{signature}"),
        ("no claims", f"{head}..{signature}"),
        ("JSON instead of a token", json.dumps({"token": good})),
        ("a megabyte", "x" * (1 << 20)),
        ("a long signature", good + "A" * 1000),
        ("a zero signature", f"{head}.{claims}.{encoded(bytes(64))}"),
        ("a signature in DER", f"{head}.{claims}.{encoded(bytes([0x30, 6, 2, 1, 1, 2, 1, 1]))}"),
        ("padded", f"{head}=.{claims}=.{signature}="),
        ("two tokens", f"{good}, {good}x"),
        ("with quotes", f'"{good}"'),
    )
    chance = random.Random(SEED)
    for _ in range(60):
        at = chance.randrange(len(head) + 1, len(good) - 2)
        if good[at] != ".":
            changed = chance.choice([c for c in "ABCDabcd0189-_" if c != good[at]])
            yield f"a letter changed at {at}", good[:at] + changed + good[at + 1 :]


async def test_no_bad_token_is_accepted(mesh: GuardedMesh) -> None:
    """Whatever a token lies about, the call ends unauthenticated, or its headers are refused; never is it let in."""
    issuer = mesh.issuer
    corpus = [*bad_headers(issuer), *bad_claims(issuer), *bad_forms(issuer)]
    assert len(corpus) >= 300
    accepted, statuses = [], set()
    todo = iter(corpus)

    async def worker() -> None:
        client = RawHttp(mesh.ports["edge"], mesh.place.ca_bundle.read_text())
        for words, token in todo:
            answer = await client.ask(*READ, {"authorization": f"Bearer {token}"})
            statuses.add(answer.status)
            if answer.status not in (0, 400, 401, 403, 431):
                accepted.append((words, answer.status))
        await client.close()

    before = dict(mesh.answers["reference"].served)
    await asyncio.gather(*(worker() for _ in range(WORKERS)))
    assert not accepted, accepted
    assert mesh.answers["reference"].served == before
    assert {401, 403} <= statuses
    client = RawHttp(mesh.ports["edge"], mesh.place.ca_bundle.read_text())
    good = await client.ask(*READ, {"authorization": f"Bearer {issuer.token()}"})
    await client.close()
    assert good.status == 200, good


def path_variants(path: str) -> Iterator[str]:
    """Spellings that a proxy and a server might read differently."""
    parts = path.strip("/").split("/")
    last = parts[-1]
    yield from (f"/{path}", f"//{path}", f"{path}/", f"{path}//", f"{path}/.", f"{path}/..", f"{path};", f"{path};a=b")
    yield from (f"{path}?", f"{path}%3f", f"{path}%23", f"{path}%00", f"{path}%20", f"{path}.json", f"{path}%0a")
    yield from (
        path.upper(),
        path.title(),
        path.replace("/", "//"),
        path.replace("/", "/./"),
        f"/.{path}",
        f"/..{path}",
    )
    yield from (
        f"/openapi.json/..{path}",
        f"/openapi.json/../..{path}",
        f"/openapi.json%2f..{path}",
        f"/openapi.json;{path}",
    )
    yield from (f"/oauth2/..{path}", f"/oauth2/%2e%2e{path}", f"/oauth2%2f..{path}", f"/.well-known/..{path}")
    yield from (f"/oauth2/..;{path}", f"/oauth2/.%2e{path}", f"/oauth2/..%2f{path[1:]}", f"/oauth2/x/../..{path}")
    yield from (f"https://localhost{path}", f"http://localhost/openapi.json{path}", "*", path[1:], f"\\{path[1:]}")
    for i in range(len(parts)):
        joined = "%2f".join(parts[i:])
        yield "/" + "/".join([*parts[:i], joined])
        yield "/" + "/".join([*parts[:i], joined.replace("%2f", "%2F")])
        yield "/" + "/".join([*parts[:i], joined.replace("%2f", "%5c")])
        yield "/" + "/".join([*parts[:i], ".", *parts[i:]])
        yield "/" + "/".join([*parts[:i], "x", "..", *parts[i:]])
        yield "/" + "/".join([*parts[:i], "x", "%2e%2e", *parts[i:]])
        yield "/" + "/".join([*parts[:i], f"{parts[i]};v=1", *parts[i + 1 :]])
        yield "/" + "/".join([*parts[:i], "".join(f"%{ord(c):02x}" for c in parts[i]), *parts[i + 1 :]])
    for i, letter in enumerate(last):
        yield path[: -len(last)] + last[:i] + f"%{ord(letter):02X}" + last[i + 1 :]


def header_variants() -> Iterator[list[tuple[str, str]]]:
    """Headers by which somebody might become somebody else, or a request another one."""
    payload = encoded(json.dumps({"roles": ["admin", "operator"], "sub": "x"}).encode())
    target = "/crossrate.api.control.v1.ControlService/GetMeshStatus"
    identities = {
        "x-crossrate-token": payload,
        "x-crossrate-client": "spiffe://crossrate/client/local",
        "x-crossrate-fingerprint": "0" * 64,
        "x-forwarded-client-cert": "URI=spiffe://crossrate/edge",
        "x-crossrate-on-behalf-of": "client:local",
        "x-crossrate-roles": "operator",
        "x-roles": "operator",
        "x-user": "admin",
        "x-forwarded-user": "admin",
        "x-remote-user": "admin",
        "x-envoy-original-path": target,
        "x-original-url": target,
        "x-rewrite-url": target,
        "x-http-method-override": "POST",
        "x-method-override": "POST",
        "x-envoy-internal": "true",
        "x-envoy-downstream-service-cluster": "edge",
        "x-forwarded-for": "127.0.0.1",
        "forwarded": "for=127.0.0.1;proto=https",
        "x-jwt-payload": payload,
        "cookie": f"access_token={payload}; session=admin",
        "proxy-authorization": "Basic YWRtaW46YWRtaW4=",
    }
    for name, value in identities.items():
        for spelt in (name, name.upper(), name.title(), name.replace("-", "_"), f" {name}", f"{name} ", f"{name}\t"):
            yield [(spelt, value)]
        yield [(name, value), (name, value)]
        yield [(name, f"{value},{value}")]
        yield [("connection", name), (name, value)]
    for scheme in ("Basic YWRtaW46YWRtaW4=", "bearer x", "Token x", "Negotiate x", "", "Bearer", "Bearer  ", "DPoP x"):
        yield [("authorization", scheme)]
        yield [("authorization", scheme), ("authorization", scheme)]


async def test_no_spelling_of_a_request_finds_a_way_around(mesh: GuardedMesh) -> None:
    """Without a token and with a reader's, no variant of path, verb or headers reaches an operator's method."""
    grpc_path = "/crossrate.api.control.v1.ControlService/GetMeshStatus"
    targets = [OPERATE[1], "/v1/mesh/routes", "/v1/mesh/certificates", grpc_path, "/v1/instruments/EUR/USD:setStatus"]
    plain = [[], [("content-type", "application/grpc")], [("content-type", "application/grpc-web+proto")]]
    paths = [
        (verb, path, extra)
        for target in targets
        for path in dict.fromkeys(path_variants(target))
        for verb in ("GET", "POST", "HEAD", "PUT")
        for extra in plain
    ]
    headers = [
        (verb, target, [*given, *extra])
        for target in targets
        for given in header_variants()
        for verb in ("GET", "POST")
        for extra in plain[:2]
    ]
    corpus = [*paths, *headers]
    random.Random(SEED).shuffle(corpus)
    corpus = corpus[: int(os.environ.get("CROSSRATE_TEST_REQUESTS", "5200"))]
    assert len(corpus) >= 5000
    reader = {"authorization": f"Bearer {mesh.issuer.token(('viewer',))}"}
    let_in: list[Any] = []
    todo = iter(enumerate(corpus))

    async def worker() -> None:
        client = RawHttp(mesh.ports["edge"], mesh.place.ca_bundle.read_text())
        for number, (verb, path, given) in todo:
            proof = list(reader.items()) if number % 2 and not any("uthoriz" in k for k, _ in given) else []
            body = b"\0\0\0\0\0" if ("content-type", "application/grpc") in given else b""
            answer = await client.ask(verb, path, [*given, *proof], body)
            if answered(answer, path):
                let_in.append((verb, path, given, bool(proof), answer.status, answer.headers, answer.body[:200]))
        await client.close()

    await asyncio.gather(*(worker() for _ in range(WORKERS)))
    assert not let_in, (len(let_in), let_in[:3])
    assert not [path for path in mesh.answers["reference"].served if "SetInstrumentStatus" in path]


def answered(answer: Any, path: str) -> bool:
    """Whether a method answered: not a refusal, not a page that everybody may see."""
    if answer.status != 200 or b'"openapi"' in answer.body[:200] or b'"keys"' in answer.body[:20]:
        return False
    return answer.headers.get("grpc-status", "0") == "0" and (
        b"proxies" in answer.body or b"snapshotVersion" in answer.body or decodes(answer.body)
    )


def decodes(body: bytes) -> bool:
    """Whether a body is the frame of a status of the mesh."""
    try:
        return bool(control.GetMeshStatusResponse.FromString(body[5:]).proxies)
    except Exception:
        return False


async def test_broken_frames_and_bodies_break_nothing(mesh: GuardedMesh) -> None:
    """Some hundred connections of broken HTTP/2: no proxy and no service ends, and a good client sees no error.
    `tests/fuzz/edge.py` goes on for as long as one likes, and tells the good client's times."""
    rounds = Rounds(mesh, 60)
    await rounds.run(SEED, "broken", 3.0)
    assert rounds.connections > 10
    assert not rounds.failures, rounds.failures[:3]
    assert not rounds.ended
