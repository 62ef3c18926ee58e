"""The log from facts to proofs, on a real PostgreSQL and NATS, with a real witness."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crossrate.api.audit.v1 import audit_events_pb2, checkpoint_pb2
from crossrate.api.audit.v1 import audit_service_pb2 as pb
from crossrate.events import Message
from crossrate.runtime.topology import denials_subject
from crossrate.transparency.checkpoint import open_checkpoint
from crossrate.transparency.tree import hash_leaf, verify_consistency, verify_inclusion
from tests.integration.audit_stand import Stand, checked, covered, exported, stand_in

pytestmark = pytest.mark.integration


@pytest.fixture
async def stand(folder: Path) -> AsyncIterator[Stand]:
    """PostgreSQL, NATS and the neighbours."""
    async with stand_in(folder) as made:
        yield made


async def test_facts_come_into_a_log_that_proves_them(stand: Stand) -> None:
    """Every fact is a leaf once, found by account, order and person, with proofs that hold without the service."""
    await stand.executions("alpha", 1, 300)
    await stand.executions("beta", 1, 5)
    await stand.kill(1, "client:second")
    async with stand.assembled() as audit:
        status = await covered(audit, 307)
        assert (status.size, status.missing, list(status.alarms), status.error) == (307, 0, [], "")
        assert status.witness.state == checkpoint_pb2.WITNESS_STATE_AGREES
        header, records = await exported(audit)
        report = checked(header, records, stand.key, stand.witnessed)
        assert report.ok, report.faults
        assert (report.leaves, report.streams, report.tiles) == (307, 4, 1)
        assert report.checkpoints >= 1
        assert report.witnessed >= 1

        found = await audit.SearchFacts(pb.SearchFactsRequest(account="alpha", page_size=200), timeout=10)
        more = await audit.SearchFacts(
            pb.SearchFactsRequest(account="alpha", page_size=200, page_token=found.next_page_token), timeout=10
        )
        numbers = [fact.leaf.sequence for page in (found, more) for fact in page.facts]
        assert numbers == list(range(300, 0, -1))
        assert not more.next_page_token
        one = await audit.SearchFacts(pb.SearchFactsRequest(order="beta-c1", person="client:local"), timeout=10)
        assert {fact.leaf.stream for fact in one.facts} == {"accounts/beta"}
        assert len(one.facts) == 3
        killed = await audit.SearchFacts(
            pb.SearchFactsRequest(person="client:second", type="KillSwitchChanged"), timeout=10
        )
        assert killed.facts[0].body["actor"] == "client:second"

        fact = (await audit.GetFact(pb.GetFactRequest(index=killed.facts[0].index), timeout=10)).fact
        proof = await audit.GetInclusionProof(pb.GetInclusionProofRequest(index=fact.index), timeout=10)
        checkpoint = open_checkpoint(proof.checkpoint.note, header.origin, [stand.key])
        verify_inclusion(fact.index, checkpoint.size, hash_leaf(fact.leaf_data), proof.hashes, checkpoint.root)
        await stand.executions("beta", 6, 20)
        later = await covered(audit, 327)
        between = await audit.GetConsistencyProof(
            pb.GetConsistencyProofRequest(old_size=checkpoint.size, size=later.checkpoint.size), timeout=10
        )
        verify_consistency(checkpoint.size, between.size, checkpoint.root, later.checkpoint.root, between.hashes)


async def test_a_refused_call_is_a_fact_of_the_service_that_refused_it(stand: Stand) -> None:
    """What services tell under their own subjects of one stream is found by who was refused, under each one's name."""
    refused = audit_events_pb2.CallsDenied(
        method="crossrate.api.trading.v1.TradingService/PlaceOrder",
        actor="user:u-9",
        reason="CALLER_NOT_ALLOWED",
        count=70_000,
        place=audit_events_pb2.DENIAL_PLACE_SERVICE,
    )
    async with stand.assembled() as audit:
        await stand.trading.publish(Message.of(denials_subject("trading"), refused, "trading-1:denied:1:1"))
        await stand.risk.publish(Message.of(denials_subject("risk"), refused, "risk-1:denied:1:1"))
        await covered(audit, 2)
        found = await audit.SearchFacts(pb.SearchFactsRequest(person="user:u-9", type="CallsDenied"), timeout=10)
        assert sorted(fact.leaf.service for fact in found.facts) == ["risk", "trading"]
        assert all(fact.body["count"] == "70000" for fact in found.facts)
