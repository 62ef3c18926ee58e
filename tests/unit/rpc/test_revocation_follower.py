"""What a service takes from identity's stream: up to when tokens do not know their grants."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
import structlog

from crossrate.api.identity.v1.identity_events_pb2 import GrantsChanged
from crossrate.events.envelope import TIME_NS, Event
from crossrate.rpc.grants import Client
from crossrate.rpc.revocation_follower import RevocationFollower
from crossrate.rpc.revocations import Revocations

CHANGED = 1_700_000_000


def taken(payload: bytes) -> Revocations:
    """What is known after one change of ada's grants, at CHANGED and a half."""
    revocations = Revocations()
    runtime = SimpleNamespace(log=structlog.get_logger())
    admission = SimpleNamespace(end_clients=lambda hit: 0)
    headers = {TIME_NS: str(CHANGED * 10**9 + 500_000_000)}
    when = dt.datetime.fromtimestamp(CHANGED, dt.UTC)
    event = Event("identity", 1, "crossrate.identity.v1.grants_changed.ada", payload, when, headers)
    RevocationFollower(runtime, revocations, admission)._take(event)
    return revocations


def token(issued: float) -> Client:
    """Ada's, of a second."""
    return Client("", frozenset(), (), subject="ada", session="s", issue_time=issued)


def test_identity_says_which_tokens_do_not_know_their_grants() -> None:
    """Those up to the second that it names, also where the change came later in that second; the next one does."""
    found = taken(GrantsChanged(subject="ada", issued_until=CHANGED).SerializeToString())
    assert found.hit(token(CHANGED))
    assert not found.hit(token(CHANGED + 1))


def test_a_new_subject_has_no_token_that_is_older_than_its_grants() -> None:
    """Its first token may be of the very second in which it was made."""
    assert not taken(GrantsChanged(subject="ada").SerializeToString()).hit(token(CHANGED))


@pytest.mark.parametrize("payload", [b"", b"\xff\xff\xff"], ids=["nothing", "no message"])
def test_a_change_that_cannot_be_read_refuses_rather_than_lets_in(payload: bytes) -> None:
    """Every token up to a second behind it is refused, and what follows is taken as before."""
    found = taken(payload)
    assert found.hit(token(CHANGED + 1))
    assert not found.hit(token(CHANGED + 2))
