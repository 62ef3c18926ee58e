"""Failures as programs catch them."""

import pickle

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from crossrate import client as sdk
from crossrate.api.common.v1 import error_pb2
from crossrate.client import CallError, OutcomeUnknown, PermissionDenied, Reason, StepUpRequired, new_order
from crossrate.client.trading import entered
from crossrate.rpc.errors import CODES, ErrorReason
from crossrate.rpc.reason import REMEDIES

METHOD = "/crossrate.api.ledger.v1.MovementService/Deposit"


def failure(code: grpc.StatusCode, reason: str = "", **metadata: str) -> CallError:
    """A failure as a service tells it."""
    status = status_pb2.Status(code=code.value[0], message="no")
    if reason:
        status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain="crossrate", metadata=metadata))
    status.details.add().Pack(error_details_pb2.RequestInfo(request_id="call-1"))
    return CallError.of_status(status, METHOD)


@pytest.mark.parametrize(
    ("reason", "metadata", "attempts", "unknown"),
    [
        ("DEPENDENCY_UNAVAILABLE", {}, 1, True),  # a proxy, of a connection that broke
        ("DEPENDENCY_UNAVAILABLE", {"dependency": "risk"}, 4, False),
        ("DEPENDENCY_UNAVAILABLE", {"dependency": "postgres"}, 1, True),
        ("DEADLINE_EXCEEDED", {}, 1, True),
        ("SHUTTING_DOWN", {"instance": "trading-1"}, 2, True),
        ("INTERNAL", {}, 1, True),
        ("OUTCOME_UNKNOWN", {}, 1, True),
        ("RATE_LIMITED", {}, 1, False),
        ("RATE_LIMITED", {}, 2, True),
        ("INVALID_REQUEST", {}, 3, False),
        ("REQUEST_ID_REUSED", {}, 3, False),
        ("WRONG_STATE", {}, 3, False),
    ],
)
async def test_only_who_has_looked_says_that_an_order_was_not_entered(
    reason: str, metadata: dict[str, str], attempts: int, unknown: bool
) -> None:
    """Of anything else nobody knows, and the failure has the id under which to enter it again, once."""
    error = failure(CODES[ErrorReason[reason]], reason, **metadata)
    error.attempts = attempts

    class Trading:
        async def PlaceOrder(self, request: object) -> None:
            raise error

    order = new_order("alpha", "EUR/USD", "buy", 1000, client_order_id="mine")
    with pytest.raises(OutcomeUnknown if unknown else CallError) as caught:
        await entered(Trading(), order)
    assert not unknown or caught.value.client_order_id == "mine"


def test_reasons_are_those_of_the_contract() -> None:
    """One member a reason, none left out, and each has a remedy."""
    names = {name.removeprefix("ERROR_REASON_") for name in error_pb2.ErrorReason.keys()} - {"UNSPECIFIED"}  # noqa: SIM118
    assert {reason.name for reason in Reason} == {reason.value for reason in Reason} == names == set(REMEDIES)


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_every_code_is_a_class(code: grpc.StatusCode) -> None:
    """Its name is the code's, it is a CallError and a gRPC error, and the SDK exports it."""
    error = failure(code)
    assert type(error).__name__ == code.name.title().replace("_", "")
    assert isinstance(error, CallError)
    assert isinstance(error, grpc.RpcError)
    assert getattr(sdk, type(error).__name__) is type(error)
    assert error.code() is code
    assert error.call_id == "call-1"


@pytest.mark.parametrize("reason", ErrorReason)
def test_every_reason_is_a_member(reason: ErrorReason) -> None:
    """It compares as a member and as a word, and says what to do."""
    error = failure(CODES[reason], reason.name)
    assert error.reason is Reason[reason.name]
    assert error.reason == reason.name
    assert error.remedy == REMEDIES[reason.name].replace("METHOD", "Deposit")


def test_a_reason_of_a_newer_server_is_kept() -> None:
    """What this version does not know stays a word."""
    assert failure(grpc.StatusCode.ABORTED, "MOON_IN_THE_WAY").reason == "MOON_IN_THE_WAY"


def test_a_second_factor_is_asked_for_by_a_class_of_its_own() -> None:
    """It is a refusal of permission that another login can lift, and says how."""
    error = failure(grpc.StatusCode.PERMISSION_DENIED, "STEP_UP_REQUIRED", acr="2", max_age="300")
    assert isinstance(error, StepUpRequired)
    assert isinstance(error, PermissionDenied)
    assert (error.acr, error.max_age_s) == ("2", 300.0)
    assert type(failure(grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED")) is PermissionDenied


def test_a_failure_crosses_processes() -> None:
    """Pickled, as by a pool of processes, it keeps its class and what was told, but not the request."""
    error = failure(grpc.StatusCode.NOT_FOUND, "NOT_FOUND", name="alpha")
    error.request, error.attempts = object(), 3
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is sdk.NotFound
    assert (back.reason, back.metadata, back.attempts, back.call_id) == (
        Reason.NOT_FOUND,
        {"name": "alpha"},
        3,
        "call-1",
    )
    assert back.request is None
    assert str(back) == str(error)


def test_it_shows_itself() -> None:
    """Class, code, reason and words."""
    assert repr(failure(grpc.StatusCode.NOT_FOUND, "NOT_FOUND")) == "<NotFound NOT_FOUND (NOT_FOUND): no>"
