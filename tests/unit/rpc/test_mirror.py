"""Which calls are handed on to be repeated, how many of them, and how much is kept for a reader."""

from __future__ import annotations

import dataclasses

import pytest
from google.protobuf import descriptor_pb2
from google.rpc import status_pb2

from crossrate.api.policy.v1 import policy_pb2
from crossrate.rpc import mirror as mirrors
from crossrate.rpc.call import Call
from crossrate.rpc.contract import MethodContract, contracts, find_method
from crossrate.rpc.mirror import Manner, Mirror, Reader, identity_of, manner_of

READ = find_method("GetInstrument")
OTHER = find_method("ListCurrencies")


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def reader(per_s: int, clock: Clock, share: int = mirrors.SHARE_MAX, chance: float = 0.0) -> Reader:
    """A reader of two methods."""
    return Reader([READ.path, OTHER.path], share, per_s, clock, lambda: chance)


@pytest.mark.parametrize("contract", contracts().values(), ids=lambda c: c.name)
def test_only_what_the_contract_allows_is_repeated(contract: MethodContract) -> None:
    """Every method of the platform: reads as they are, writes that can be checked only as a check, nothing else."""
    options = contract.descriptor.GetOptions()
    effects = options.Extensions[policy_pb2.method].side_effects
    reads = options.idempotency_level == descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS
    manner = manner_of(contract)
    if contract.service.endswith("InstanceService") or contract.descriptor.client_streaming:
        assert manner is None
    elif effects == policy_pb2.SIDE_EFFECTS_NONE:
        assert reads
        assert manner is (Manner.STREAM if contract.descriptor.server_streaming else Manner.AS_IS)
    elif effects == policy_pb2.SIDE_EFFECTS_VALIDATE_ONLY:
        assert not reads
        assert "validate_only" in contract.input.fields_by_name
        assert manner is Manner.VALIDATE_ONLY
    else:
        assert manner is None


def test_a_method_that_only_claims_to_read_is_not_repeated_as_it_is() -> None:
    """Policy and idempotency level both have to say that there are no side effects."""
    lying = dataclasses.replace(find_method("SetInstrumentStatus"), side_effects="NONE")
    assert manner_of(lying) is None


def test_the_sample_has_at_most_so_many_calls_a_second() -> None:
    """After a burst of one second's calls it goes on at the rate; a method that is called seldom is not crowded out."""
    clock = Clock()
    sample = reader(10, clock)
    assert sum(sample.wants(READ.path) for _ in range(100)) == 10
    assert sample.wants(OTHER.path)
    assert not sample.wants(OTHER.path)
    taken = 0
    for _ in range(10_000):
        clock.now += 0.001
        taken += sample.wants(READ.path)
    assert 95 <= taken <= 101
    assert sample.wants(OTHER.path)
    assert not sample.wants(find_method("GetQuote").path)


def test_a_share_of_the_calls_is_left_to_chance() -> None:
    """Calls whose draw is at or beyond the share are not taken, whatever else there is room for."""
    assert not reader(10, Clock(), share=2500, chance=0.25).wants(READ.path)
    assert reader(10, Clock(), share=2500, chance=0.2499).wants(READ.path)


async def test_what_a_slow_reader_does_not_take_is_left_out_and_counted() -> None:
    """Calls, and their bytes, that wait are bounded; the next call that finds room tells how many were left out."""
    clock = Clock()
    sample = reader(1000, clock)
    for _ in range(mirrors.QUEUED_MAX + 3):
        sample.put(Call(READ, "id"), {}, b"request", b"answer", None)
    for _ in range(mirrors.QUEUED_MAX):
        assert (await sample.take()).dropped == 0
    sample.put(Call(READ, "id"), {}, b"request", b"answer", None)
    assert (await sample.take()).dropped == 3
    half = bytes(mirrors.CALL_BYTES_MAX // 2)
    sample.put(Call(READ, "id"), {}, half, half + b"1", None)
    for _ in range(mirrors.QUEUED_BYTES_MAX // mirrors.CALL_BYTES_MAX + 2):
        sample.put(Call(READ, "id"), {}, half, half, None)
    for _ in range(mirrors.QUEUED_BYTES_MAX // mirrors.CALL_BYTES_MAX):
        last = await sample.take()
    sample.put(Call(READ, "id"), {}, b"", b"", None)
    assert (await sample.take()).dropped == 2
    assert last.dropped == 0


async def test_what_a_call_was_is_handed_on_with_its_caller_alone() -> None:
    """Request, outcome and what proves the caller go on, and no header that a client can send; refusals that audit
    knows of, what says something of the moment alone, and repeated calls are not handed on."""
    mirror = Mirror()
    sample = mirror.open([READ.path], mirrors.SHARE_MAX, 1000)
    headers = {
        "x-forwarded-client-cert": "URI=spiffe://crossrate/edge",
        "x-crossrate-client": "spiffe://crossrate/client/viewer",
        "x-crossrate-release": "some",
        "authorization": "Bearer secret",
        "user-agent": "a",
    }
    for code in mirrors.NOT_ANSWERS:
        mirror.passed(Call(READ, "a"), headers, b"request", None, status_pb2.Status(code=code))
    mirror.passed(Call(READ, f"{mirrors.SHADOW_ID}a"), headers, b"request", b"answer", None)
    mirror.passed(Call(READ, "b"), headers, b"request", None, status_pb2.Status(code=5))
    message = (await sample.take()).message()
    assert (message.method, message.request_id, message.failure.code) == (READ.path[1:], "b", 5)
    assert set(message.headers) == {"x-forwarded-client-cert", "x-crossrate-client"}
    mirror.close(sample)
    assert mirror.readers == ()


def test_identity_leaves_out_what_is_no_text() -> None:
    """Headers of bytes tell no caller."""
    assert identity_of({"x-crossrate-some-bin": b"1", "x-crossrate-token": "t"}) == {"x-crossrate-token": "t"}  # type: ignore[dict-item]
