"""Answers that proxies make themselves."""

import base64

import pytest
from google.rpc import error_details_pb2, status_pb2

from services.control import envoy_api
from services.control.replies import REPLIES, Reply, details, edge_replies, grpc_replies

CONFIG = "envoy.extensions.filters.network.http_connection_manager.v3.LocalReplyConfig"


@pytest.mark.parametrize("reply", REPLIES, ids=lambda r: str(r.http))
def test_details_are_a_status_with_the_reason(reply: Reply) -> None:
    """The header holds a google.rpc.Status whose code is the one that its reason travels with everywhere."""
    value = details(reply)
    status = status_pb2.Status.FromString(base64.b64decode(value + "=" * (-len(value) % 4)))
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (status.code, info.reason, info.domain) == (reply.code, reply.reason.name, "crossrate")


def test_each_status_is_mapped_once() -> None:
    """No two mappers are for the same HTTP status, and all are Envoy's."""
    assert len({r.http for r in REPLIES}) == len(REPLIES)
    envoy_api.parse(CONFIG, edge_replies())
    envoy_api.parse(CONFIG, grpc_replies())


@pytest.mark.parametrize("replies", [edge_replies, grpc_replies])
def test_what_a_proxy_answers_names_the_call(replies) -> None:
    """Also what is none of the statuses, as a fault of a drill is to a gRPC client."""
    mappers = replies()["mappers"]
    assert all("x-request-id" in [h["header"]["key"] for h in each["headers_to_add"]] for each in mappers)
    assert grpc_replies()["mappers"][-1]["filter"].keys() == {"header_filter"}
