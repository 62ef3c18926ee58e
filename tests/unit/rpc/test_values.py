"""Durations of messages in seconds, and what repetitions of a request have in common."""

import pytest
from google.protobuf.duration_pb2 import Duration

from crossrate.api.reference.v1 import reference_service_pb2 as pb
from crossrate.rpc.values import seconds
from crossrate.store.requests import body_of


@pytest.mark.parametrize(("whole", "nanos", "expected"), [(0, 0, 0.0), (5, 100_000_000, 5.1), (-1, -500_000_000, -1.5)])
def test_a_duration_is_the_nearest_double(whole: int, nanos: int, expected: float) -> None:
    """Whole seconds and nanoseconds together, with their sign."""
    assert seconds(Duration(seconds=whole, nanos=nanos)) == expected


def test_a_repetition_differs_by_its_id_alone() -> None:
    """Another id is the same request, another field is not, and the request itself is left as it was."""
    one = pb.SetInstrumentStatusRequest(request_id="a", base="EUR", counter="USD")
    assert body_of(one) == body_of(pb.SetInstrumentStatusRequest(request_id="b", base="EUR", counter="USD"))
    assert body_of(one) != body_of(pb.SetInstrumentStatusRequest(request_id="a", base="EUR", counter="JPY"))
    assert one.request_id == "a"
