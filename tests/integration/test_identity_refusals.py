"""What is not taken: assertions, tokens and requests that look nearly right. None of them gets anything."""

from __future__ import annotations

import base64
import json
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from crossrate.api.identity.v1 import client_pb2
from crossrate.api.identity.v1 import client_service_pb2 as clients
from crossrate.api.identity.v1 import session_service_pb2 as sessions
from tests.integration.identity_stand import CLI, ISSUER, TRADER, Stand, claims_of, stand

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
LEGACY = ["none", "HS256", "HS384", "HS512", "RS256", "ES256", "ES384", "PS256", "EdDSA", "Ed25519", "ES512"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def identity() -> AsyncIterator[Stand]:
    """One service for all of it."""
    with tempfile.TemporaryDirectory(prefix="xr-") as folder:
        async with stand(Path(folder)) as made:
            yield made


def b64(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def part(document: Any) -> str:
    """A part of a token."""
    return b64(document if isinstance(document, bytes) else json.dumps(document).encode())


def signed(header: dict[str, Any], claims: Any, key: Any) -> str:
    """A token with whatever header, signed by whatever key, past what a library would refuse to make."""
    text = f"{part(header)}.{part(claims)}"
    alg = header.get("alg")
    if alg in ("HS256", "HS384", "HS512"):
        import hashlib
        import hmac

        raw = key if isinstance(key, bytes) else key.as_pem(private=False)
        digest = {"HS384": "sha384", "HS512": "sha512"}.get(str(alg), "sha256")
        return f"{text}.{b64(hmac.new(raw, text.encode(), getattr(hashlib, digest)).digest())}"
    return f"{text}.{b64(ecdsa(key, text.encode()))}"


def ecdsa(key: ECKey, data: bytes) -> bytes:
    """A raw ES256 signature."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    r, s = decode_dss_signature(key.private_key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def forms(header: dict[str, Any], claims: dict[str, Any], key: ECKey, other: ECKey) -> Iterator[tuple[str, str]]:
    """Tokens of wrong form, header or signature, each with what is wrong, around one that would be right."""
    good = signed(header, claims, key)
    _, body, tail = good.split(".")
    public = key.as_pem(private=False)
    for alg in LEGACY:
        yield f"alg {alg} by another key", signed(header | {"alg": alg}, claims, other)
        if alg != "ES256":
            yield f"alg {alg} in the header alone", signed(header | {"alg": alg}, claims, key)
            yield f"alg {alg} with no signature", f"{part(header | {'alg': alg})}.{body}."
            yield f"alg {alg} with the signature of before", f"{part(header | {'alg': alg})}.{body}.{tail}"
    for name in ("none", "None", "NONE", "nOnE", "", None, 0, [], ["ES256"], "es256", "ES256 ", "ES256\x00"):
        yield f"alg {name!r}", f"{part(header | {'alg': name})}.{body}.{tail}"
    for secret in (public, public.strip(), b64(public).encode(), b"", b"secret", key.as_pem(private=False)[:-1]):
        for alg in ("HS256", "HS384", "HS512"):
            yield f"{alg} with the public key or a guess as its secret", signed(header | {"alg": alg}, claims, secret)
    jwk = other.as_dict(private=False)
    for more in (
        {"jwk": jwk},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["AAAA"]},
        {"x5t": "AAAA"},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"zip": "DEF"},
        {"enc": "A128GCM"},
        {"cty": "JWT"},
        {"epk": jwk},
        {"url": "x"},
        {"nonce": "x"},
        {"p2c": 1_000_000_000, "p2s": "AAAA"},
    ):
        yield f"header {sorted(more)} by another key", signed(header | more, claims, other)
        yield f"header {sorted(more)} by the right key", signed(header | more, claims, key)
    for kid in ("", "../../dev/null", "' OR 1=1 --", "/proc/self/environ", "2", 1, None, ["1"], {"a": 1}, "x" * 500):
        yield f"kid {kid!r}"[:60], signed(header | {"kid": kid}, claims, other)
    for typ in ("JWE", "at+jwt+x", 7, [], None, "dpop+jwt", "secevent+jwt", "logout+jwt"):
        yield f"typ {typ!r}", signed(header | {"typ": typ}, claims, key)
    yield from signatures(good, key, other)
    yield from texts(good, header, claims, key)


def signatures(good: str, key: ECKey, other: ECKey) -> Iterator[tuple[str, str]]:
    """The same token with signatures that are none."""
    head, body, tail = good.split(".")
    raw = base64.urlsafe_b64decode(tail + "==")
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    for why, forged in (
        ("zero", bytes(64)),
        ("r is zero", bytes(32) + raw[32:]),
        ("s is zero", raw[:32] + bytes(32)),
        ("r and s are the order", ORDER_P256.to_bytes(32) * 2),
        ("r plus the order", ((r + ORDER_P256) % (1 << 256)).to_bytes(32) + raw[32:]),
        ("swapped", raw[32:] + raw[:32]),
        ("one byte more", raw + b"\x00"),
        ("one byte less", raw[:-1]),
        ("two bits", bytes([raw[0] ^ 3]) + raw[1:]),
        ("of another text", ecdsa(key, b"another")),
        ("by another key", ecdsa(other, f"{head}.{body}".encode())),
        ("in DER", b"\x30" + raw[:63]),
        ("empty", b""),
        ("all ones", b"\xff" * 64),
        ("s negated and r changed", bytes([raw[0] ^ 1]) + raw[1:32] + (ORDER_P256 - s).to_bytes(32)),
    ):
        yield f"signature: {why}", f"{head}.{body}.{b64(forged)}"


def texts(good: str, header: dict[str, Any], claims: dict[str, Any], key: ECKey) -> Iterator[tuple[str, str]]:
    """Texts that are nearly tokens."""
    head, body, tail = good.split(".")
    for why, text in (
        ("empty", ""),
        ("one part", head),
        ("two parts", f"{head}.{body}"),
        ("no signature", f"{head}.{body}."),
        ("four parts", f"{good}.{tail}"),
        ("five parts", f"{head}.{body}.{tail}.{tail}.{tail}"),
        ("dots", "..."),
        ("padding", f"{head}=.{body}.{tail}"),
        ("a space", f" {good}"),
        ("a line", f"{good}\n"),
        ("plain base64", good.replace("-", "+").replace("_", "/") + "+"),
        ("JSON form", json.dumps({"payload": body, "protected": head, "signature": tail})),
        ("a mebibyte", f"{head}.{'A' * (1 << 20)}.{tail}"),
        ("a long header", f"{part(header | {'kid': 'x' * 9000})}.{body}.{tail}"),
        ("bits after the end", f"{head}.{body}.{tail[:-1]}{'_' if tail[-1] != '_' else '-'}"),
        ("not JSON", f"{head}.{part(b'{')}.{tail}"),
        ("not UTF-8", f"{part(bytes([255, 254]))}.{body}.{tail}"),
        ("a BOM", signed(header, b"\xef\xbb\xbf" + json.dumps(claims).encode(), key)),
        ("a list", signed(header, [claims], key)),
        ("a text", signed(header, "claims", key)),
        ("deep", signed(header, b'{"a":' * 3000 + b"1" + b"}" * 3000, key)),
        ("nine levels", signed(header, claims | {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": 1}}}}}}}}}, key)),
        ("NaN", signed(header, json.dumps(claims | {"x": float("nan")}).encode(), key)),
        ("a name twice", signed(header, json.dumps(claims).encode()[:-1] + b',"sub":"admin"}', key)),
        ("a token in a token", signed(header, good.encode(), key)),
    ):
        yield f"form: {why}", text


def edges(claims: dict[str, Any], header: dict[str, Any], key: ECKey, now: int) -> Iterator[tuple[str, str]]:
    """Tokens that are well made and say the wrong thing."""
    changes: list[dict[str, Any]] = []
    for name in ("iss", "aud", "sub", "exp"):
        changes += [{name: value} for value in (..., None, "", [], {}, True, 7, "admin", " " + str(claims.get(name)))]
    changes += [{"iss": value} for value in (ISSUER + "/", ISSUER.upper(), "https://evil.example", [ISSUER])]
    changes += [{"aud": value} for value in (["crossrate", "x"], [], "other", [ISSUER, "https://evil.example"])]
    changes += [{"exp": value} for value in (now - 31, 0, -1, 1e300, "9999999999", now + 60.5, 1 << 60)]
    changes += [{"nbf": value} for value in (now + 7200, "soon", -1)]
    for change in changes:
        said = {k: v for k, v in (claims | change).items() if v is not ...}
        yield f"claims {change}"[:70], signed(header, said, key)


async def test_of_hundreds_of_bad_assertions_none_is_taken(identity: Stand) -> None:
    """Wrong algorithms, keys, headers, forms, claims and times: each is refused with an error of OAuth, and after all
    of them the right one is taken."""
    key, other = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
    made = client_pb2.Client(
        name="robot", desk="main", access=TRADER, authentication=client_pb2.CLIENT_AUTHENTICATION_PRIVATE_KEY_JWT
    )
    made.jwks = json.dumps({"keys": [key.as_dict(private=False) | {"kid": "1"}]})
    await identity.clients.CreateClient(clients.CreateClientRequest(request_id=str(uuid.uuid4()), client=made))
    browser, now = identity.browser(), int(identity.clock().timestamp())
    header = {"alg": "ES256", "kid": "1", "typ": "JWT"}
    claims = {"iss": "robot", "sub": "robot", "aud": ISSUER, "iat": now, "exp": now + 1800, "jti": "j"}

    async def asked(assertion: str) -> Any:
        form = {"grant_type": "client_credentials", "client_id": "robot", "client_assertion_type": ASSERTION_TYPE}
        return await browser.token(**form, client_assertion=assertion)

    times = [
        {"iat": now + 1700},
        {"iat": now - 4000},
        {"iat": ...},
        {"iat": "now"},
        {"exp": now + 9000},
        {"jti": ...},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 129},
        {"sub": CLI, "iss": CLI},
        {"sub": "robot", "iss": CLI},
    ]
    wrong = [
        *forms(header, claims, key, other),
        *edges(claims, header, key, now),
        *(
            (f"claims {change}", signed(header, {k: v for k, v in (claims | change).items() if v is not ...}, key))
            for change in times
        ),
    ]
    accepted = []
    for number, (why, assertion) in enumerate(wrong):
        answer = await asked(assertion)
        if answer.status_code == 200 or "access_token" in answer.text:
            accepted.append(why)
        assert answer.status_code in (400, 401), (number, why, answer.text)
        assert answer.json()["error"] in ("invalid_client", "invalid_request"), (why, answer.text)
    assert accepted == []
    print(f"{len(wrong)} bad assertions, {len(accepted)} taken")
    assert len(wrong) >= 200
    assert (await asked(signed(header, claims, key))).status_code == 200
    assert (await asked(signed(header, claims, key))).json()["error"] == "invalid_client", "once"


def by_own(alg: str, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A good signature of another kind, by a key that nobody knows."""
    key = OKPKey.generate_key("Ed25519") if alg == "Ed25519" else RSAKey.generate_key(2048)
    return jwt.encode(header | {"alg": alg}, claims, key, algorithms=[alg])


async def test_of_hundreds_of_bad_tokens_none_is_taken(identity: Stand) -> None:
    """Access tokens with wrong algorithms, keys, headers, forms, claims and times get nothing from any endpoint that
    reads one; the right one does before and after."""
    browser = await identity.person("ada")
    good = (await browser.tokens())["access_token"]
    signer = identity.parts.signer
    key = next(iter(signer._keys.values())).key
    other, now = ECKey.generate_key("P-256"), int(identity.clock().timestamp())
    signs = identity.clock().timestamp()  # in the second in which the key was made
    header = json.loads(base64.urlsafe_b64decode(good.split(".")[0] + "=="))
    claims = claims_of(good)

    async def takes(token: str) -> list[str]:
        found = []
        try:
            told = await browser.get("/oauth2/userinfo", headers={"authorization": f"Bearer {token}"})
            assert told.status_code in (200, 401)
            found += ["userinfo"] if told.status_code == 200 else []
        except UnicodeEncodeError:
            pass
        bearer = {"authorization": f"Bearer {good}"}
        told = await browser.post("/oauth2/introspect", data={"token": token}, headers=bearer)
        if told.status_code == 200 and told.json()["active"]:
            found.append("introspect")
        if (
            0 < len(token) <= 8192
            and (await identity.sessions.Introspect(sessions.IntrospectRequest(token=token))).active
        ):
            found.append("Introspect")
        return found

    assert len(await takes(good)) == 3
    wrong = [
        *forms(header, claims, key, other),
        *edges(claims, header, key, now),
        ("an ID token", signer.sign(claims, "JWT", signs)),
        ("another session", signer.sign(claims | {"sid": "x" * 32}, "at+jwt", signs)),
        ("another's session", signer.sign(claims | {"sub": "admin"}, "at+jwt", signs)),
        ("issued before the last grant", signer.sign(claims | {"iat": 0}, "at+jwt", signs)),
        ("no time of issue", signer.sign({k: v for k, v in claims.items() if k != "iat"}, "at+jwt", signs)),
        *((f"{alg} by a key of its own", by_own(alg, header, claims)) for alg in ("Ed25519", "PS256")),
    ]
    # A leading or trailing sign that HTTP itself takes away from a header is no token of another form.
    accepted = [(why, where) for why, token in wrong if (where := await takes(token)) and why not in HTTP_TRIMS]
    assert accepted == []
    print(f"{len(wrong)} bad tokens, {len(accepted)} taken")
    assert len(wrong) >= 200
    assert len(await takes(good)) == 3


HTTP_TRIMS = frozenset[str]()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"grant_type",
        b"grant_type=client_credentials&grant_type=password",
        b"grant_type=client_credentials&client_id=a&client_id=b",
        b"grant_type=%00",
        b"grant_type=%ff%fe",
        b"&&&&",
        b"=",
        b"\xff\xfe",
        b"a=1&" * 100,
        b"grant_type=client_credentials&x=" + b"a" * (64 << 10),
        b'{"grant_type": "client_credentials"}',
        b"grant_type=authorization_code&code=" + b"x" * 5000 + b"&client_id=crossrate-cli",
        b"grant_type=refresh_token&refresh_token=%27%20OR%201=1&client_id=crossrate-cli",
        b"grant_type=client_credentials&client_id=%22%5C%0A",
        b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=x",
    ],
)
async def test_bodies_that_are_none_get_an_error(identity: Stand, body: bytes) -> None:
    """Whatever comes, the token endpoint answers 4xx in OAuth's words."""
    browser = identity.browser()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await browser.post("/oauth2/token", content=body, headers=headers)
    assert answer.status_code in (400, 401), answer.text
    assert answer.json()["error"] in ("invalid_request", "invalid_client", "invalid_grant", "unsupported_grant_type")


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic /w==",
        "Basic Og==",
        "Bearer x",
        "Digest x",
        "Basic " + "A" * 9000,
        "basic YTpi",
    ],
)
async def test_proofs_that_are_none_get_an_error(identity: Stand, authorization: str) -> None:
    """Whatever stands in Authorization, the answer is an error of OAuth."""
    answer = await identity.browser().post(
        "/oauth2/token", data={"grant_type": "client_credentials"}, headers={"authorization": authorization}
    )
    assert answer.status_code in (400, 401), answer.text
    assert answer.json()["error"] in ("invalid_client", "invalid_request")


async def test_one_address_has_so_many_tries(identity: Stand) -> None:
    """Failures are counted by address and client; who proves himself is not slowed down."""
    identity.parts.site.tries._size, identity.parts.site.tries._rate = 20.0, 1 / 3
    try:
        thief, honest = identity.browser(x_forwarded_for="198.51.100.1"), identity.browser()
        form = {"grant_type": "refresh_token", "refresh_token": "xrr_guess", "client_id": CLI}
        answers = [await thief.token(**form) for _ in range(30)]
        refused = [a for a in answers if a.status_code == 429]
        assert refused
        assert int(refused[0].headers["retry-after"]) >= 1
        pages = [await identity.browser(x_forwarded_for="198.51.100.2").get("/login/") for _ in range(120)]
        assert {p.status_code for p in pages} == {200, 429}
        assert (await honest.token(**form)).status_code == 400
    finally:
        identity.parts.site.tries._size, identity.parts.site.tries._rate = 10_000.0, 167.0
