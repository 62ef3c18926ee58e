"""Tokens of the SDK: renewed in time, once for all threads; a call that was refused for its token is sent once more."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from crossrate.api.reference.v1 import reference_service_pb2 as pb
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference
from crossrate.client import tokens
from crossrate.client.tokens import ApiKey, LoginNeeded, Renewing, StoredLogin, Token, keep_login, kept_login
from crossrate.rpc.client import CallError, ContractChannel


class Counting(Renewing):
    """Gives t1, t2, … of some life; None when there are no more."""

    def __init__(self, life_s: float = 100.0, most: int = 100) -> None:
        super().__init__()
        self.given = 0
        self._life_s, self._most = life_s, most

    def _get(self, refused: str) -> Token:
        if self.given >= self._most:
            raise LoginNeeded("no more")
        self.given += 1
        now_s = time.time()
        return Token(f"t{self.given}", now_s, now_s + self._life_s)


class Reference(reference.ReferenceServiceServicer):
    """Takes one token, and counts what it did."""

    def __init__(self) -> None:
        self.good = "t1"
        self.done = 0
        self.seen: list[str] = []

    async def _let_in(self, context) -> None:
        said = dict(context.invocation_metadata()).get("authorization", "")
        self.seen.append(said)
        if said != f"Bearer {self.good}":
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "another token, please")
        self.done += 1

    async def GetInstrument(self, request, context):
        """Done if the token is the one."""
        await self._let_in(context)
        return pb.GetInstrumentResponse()

    async def SetInstrumentStatus(self, request, context):
        """The same for a write."""
        await self._let_in(context)
        return pb.SetInstrumentStatusResponse()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[Reference, grpc.aio.Channel]]:
    """A server and a bare channel to it."""
    servicer, server = Reference(), grpc.aio.server()
    reference.add_ReferenceServiceServicer_to_server(servicer, server)
    address = f"unix:{tmp_path}/s"
    server.add_insecure_port(address)
    await server.start()
    async with grpc.aio.insecure_channel(address) as channel:
        yield servicer, channel
    await server.stop(0)


async def test_every_call_carries_the_token(served) -> None:
    """As a bearer in the call's metadata, without asking for it again."""
    servicer, channel = served
    source = Counting()
    stub = reference.ReferenceServiceStub(ContractChannel(channel, tokens=source))
    for _ in range(3):
        await stub.GetInstrument(pb.GetInstrumentRequest(base="EUR", counter="USD"))
    assert servicer.seen == ["Bearer t1"] * 3
    assert source.given == 1


async def test_a_refused_token_is_replaced_and_the_call_sent_once_more(served) -> None:
    """Reads and writes alike, since nothing was done; the next call begins with the new token."""
    servicer, channel = served
    servicer.good = "t2"
    stub = reference.ReferenceServiceStub(ContractChannel(channel, tokens=Counting()))
    await stub.SetInstrumentStatus(pb.SetInstrumentStatusRequest(base="EUR", counter="USD"))
    await stub.GetInstrument(pb.GetInstrumentRequest(base="EUR", counter="USD"))
    assert servicer.seen == ["Bearer t1", "Bearer t2", "Bearer t2"]
    assert servicer.done == 2


async def test_who_is_not_let_in_is_told_and_does_not_go_on_asking(served) -> None:
    """A second refusal is the answer, and so is the first if there is no other token."""
    servicer, channel = served
    servicer.good = "none"
    for source, sent in ((Counting(), 2), (Counting(most=1), 1)):
        servicer.seen.clear()
        stub = reference.ReferenceServiceStub(ContractChannel(channel, tokens=source))
        with pytest.raises(CallError) as refused:
            await stub.GetInstrument(pb.GetInstrumentRequest(base="EUR", counter="USD"))
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert len(servicer.seen) == sent


class Slow(Counting):
    """Gives a token once it may."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may = threading.Event(), threading.Event()

    def _get(self, refused: str) -> Token:
        self.asked.set()
        assert self.may.wait(60), "the event loop waited for a token"
        return super()._get(refused)


async def test_the_event_loop_does_not_wait_for_a_token(served) -> None:
    """While one is got, everything else goes on; the call's deadline holds for that too."""
    servicer, channel = served
    source = Slow()
    stub = reference.ReferenceServiceStub(ContractChannel(channel, tokens=source))
    waiting = asyncio.ensure_future(stub.GetInstrument(pb.GetInstrumentRequest(base="EUR", counter="USD")))
    assert await asyncio.to_thread(source.asked.wait, 60)
    with pytest.raises(CallError) as late:
        await stub.GetInstrument(pb.GetInstrumentRequest(base="EUR", counter="USD"), timeout=0.01)
    assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert servicer.seen == []
    source.may.set()
    await waiting
    assert servicer.seen == ["Bearer t1"]
    assert source.at_hand()


def test_many_threads_get_one_token() -> None:
    """Thirty at once ask the endpoint once."""
    source, got = Counting(), []
    threads = [threading.Thread(target=lambda: got.append(source.current())) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(got) == {"t1"}
    assert source.given == 1


def test_a_token_is_renewed_before_it_ends_and_nobody_waits() -> None:
    """With a third of its life left the next is got in the background; the one at hand is given until then."""
    source = Counting(life_s=1_000.0)
    assert source.current() == "t1"
    now_s = time.time()
    source._token = Token("t1", now_s - 900, now_s + 100)
    assert source.current() == "t1"
    for thread in threading.enumerate():
        if thread.name == "crossrate-token":
            thread.join()
    assert source.current() == "t2"
    source._token = Token("t2", now_s - 1_000, now_s - 1)
    assert source.current() == "t3", "one that has ended is never sent"


def test_a_login_is_private_and_used_by_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """0600 in a folder 0700; of eight programs one refreshes, and the others take what it got; an ended session is
    forgotten."""
    monkeypatch.setenv("CROSSRATE_STATE", str(tmp_path))
    told = {"access_token": "a1", "expires_in": 1, "refresh_token": "r1"}
    keep_login("fx.example:443", told, b"roots")
    file = tokens.login_file("fx.example:443")
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    asked: list[str] = []

    class Endpoint(tokens.Endpoint):
        def post(self, path, form, auth=None):
            asked.append(form["refresh_token"])
            if form["refresh_token"] == "r9":
                return {"error": "invalid_grant"}
            return {"access_token": f"a{len(asked) + 1}", "expires_in": 300, "refresh_token": f"r{len(asked) + 1}"}

    monkeypatch.setattr(tokens, "Endpoint", Endpoint)
    got: list[str] = []
    sources = [StoredLogin("fx.example:443") for _ in range(8)]
    threads = [threading.Thread(target=lambda source=source: got.append(source.current())) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == ["r1"]
    assert set(got) == {"a2"}
    kept = kept_login("fx.example:443")
    assert kept is not None
    assert (kept["refresh_token"], kept["ca"]) == ("r2", "roots")
    keep_login("fx.example:443", {"access_token": "a9", "expires_in": 1, "refresh_token": "r9"}, None)
    with pytest.raises(LoginNeeded, match="crossrate login"):
        StoredLogin("fx.example:443").current()
    assert kept_login("fx.example:443") is None


@pytest.mark.parametrize("secret", ["", "xrk_", "xrk_k-short.x", "password", "xrk_k-0123456789abcdef"])
def test_what_is_no_api_key_is_refused_at_once(secret: str) -> None:
    """Before anything is sent anywhere."""
    with pytest.raises(ValueError, match="no API key"):
        ApiKey("localhost:8443", secret)
