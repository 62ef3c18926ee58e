"""What each service may do in NATS follows from the topology alone."""

from __future__ import annotations

import pytest

from crossrate.node.nats import permissions, stream_configs
from crossrate.runtime import topology

TOPOLOGY = topology.load()


@pytest.mark.parametrize("service", TOPOLOGY.services)
def test_nobody_may_create_streams_or_consumers(service):
    """A consumer delivers to any subject that its creator names, so creating one is publishing anywhere."""
    allowed = permissions(TOPOLOGY, service)
    for subject in allowed.publish:
        assert subject != ">"
        if subject.startswith("$JS.API."):
            assert subject.startswith(("$JS.API.DIRECT.GET.", "$JS.API.STREAM.INFO."))
    assert ">" not in allowed.subscribe
    inboxes = [subject for subject in allowed.subscribe if "INBOX" in subject]
    assert inboxes == [f"_INBOX_{service}.>"]


@pytest.mark.parametrize("service", [name for name in TOPOLOGY.services if name != "control"])
def test_a_service_reads_its_own_configuration_and_writes_none(service):
    """Only control writes to the bucket."""
    allowed = permissions(TOPOLOGY, service)
    assert not [subject for subject in allowed.publish if subject.startswith("$KV.")]
    assert [subject for subject in allowed.subscribe if subject.startswith("$KV.")] == [f"$KV.config.{service}"]


@pytest.mark.parametrize("service", TOPOLOGY.services)
def test_events_are_published_by_their_service_alone(service):
    """No service may publish under another's word."""
    for other in TOPOLOGY.services:
        if other != service:
            published = permissions(TOPOLOGY, other).publish
            assert not [subject for subject in published if subject.startswith(f"crossrate.{service}.")]
            assert topology.denials_subject(service) not in published
    assert topology.denials_subject(service) in permissions(TOPOLOGY, service).publish


def test_full_streams_refuse_and_nothing_is_deleted():
    """Every stream has a limit, and reaching it is an error for the publisher instead of a loss for the reader: unless
    the topology says that the stream may forget."""
    forgetful = {name for name, stream in TOPOLOGY.streams.items() if stream.forget_oldest or stream.latest_only}
    for config in stream_configs(TOPOLOGY):
        assert config.max_bytes > 0
        assert config.discard == ("old" if config.name in forgetful else "new")
        assert config.deny_delete
        assert config.deny_purge or config.name.startswith("KV_")
