"""Errors on the wire: one table, bounded, and readable on the other side."""

from google.protobuf import descriptor_pb2
from google.rpc import error_details_pb2

from crossrate.api.common.v1 import error_pb2
from crossrate.rpc import errors
from crossrate.rpc.errors import CODES, STATUS_BYTES_MAX, ErrorReason, Failure, Violation
from crossrate.runtime.place import REPOSITORY


def _codes_in_the_contract() -> dict[str, str]:
    """The first word of every reason's comment, by the reason's name without its prefix."""
    files = descriptor_pb2.FileDescriptorSet.FromString(
        (REPOSITORY / "libs/crossrate/api/contracts.binpb").read_bytes()
    )
    (file,) = (f for f in files.file if f.name == "crossrate/api/common/v1/error.proto")
    values = file.enum_type[0].value
    comments = {tuple(at.path): at.leading_comments for at in file.source_code_info.location}
    return {
        value.name.removeprefix("ERROR_REASON_"): comments[(5, 0, 2, index)].split(".")[0].strip()
        for index, value in enumerate(values)
        if value.number
    }


def test_the_table_is_total_and_equal_to_the_contract():
    """Every reason of the contract has a code in the table, and it is the one that the contract's comment states."""
    assert {reason.name: code.name for reason, code in CODES.items()} == _codes_in_the_contract()
    assert {r.value for r in ErrorReason} == set(error_pb2.ErrorReason.values()) - {0}


def test_a_failure_survives_the_wire():
    """A client reads back the reason, message, metadata, violations and delay that the server sent."""
    sent = Failure(
        ErrorReason.INVALID_REQUEST,
        "no",
        metadata={"limit": "3"},
        violations=[Violation("legs[0].notional", "must be positive", "double.gt")],
        retry_after_s=0.25,
    )
    got = Failure.from_status(sent.to_status("r-1"))
    assert got is not None
    assert (got.reason, got.message, got.metadata) == (sent.reason, sent.message, sent.metadata)
    assert (got.violations, got.retry_after_s) == (sent.violations, sent.retry_after_s)


def test_details_name_the_domain_and_the_request():
    """The details carry the platform's domain, the reason without its prefix, and the request's id."""
    details = {d.TypeName(): d for d in errors.not_found("instrument", "EUR/XXX").to_status("r-1").details}
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.RequestInfo()
    assert details["google.rpc.ErrorInfo"].Unpack(info)
    assert details["google.rpc.RequestInfo"].Unpack(request)
    assert (info.domain, info.reason, dict(info.metadata)) == (
        "crossrate",
        "NOT_FOUND",
        {"resource": "instrument", "name": "EUR/XXX"},
    )
    assert request.request_id == "r-1"


def test_a_status_never_grows_past_what_peers_accept():
    """However many violations there are, the status keeps its bound and says how many it left out."""
    failure = errors.invalid(*(Violation(f"legs[{i}].notional", "x" * 100, "rule") for i in range(500)))
    status = failure.to_status("r" * 128)
    got = Failure.from_status(status)
    assert status.ByteSize() <= STATUS_BYTES_MAX
    assert got is not None
    assert len(got.violations) + int(got.metadata["violations_left_out"]) == 500
    assert len(got.violations) > 10


def test_a_status_of_long_words_keeps_its_bound():
    """Long messages and metadata are cut."""
    failure = Failure(ErrorReason.WRONG_STATE, "m" * 10_000, metadata={"state": "s" * 10_000})
    assert failure.to_status("r").ByteSize() <= STATUS_BYTES_MAX


def test_a_status_of_another_platform_is_no_failure():
    """A status without the platform's ErrorInfo is not taken for one of its own."""
    status = errors.no_identity("x").to_status()
    del status.details[:]
    assert Failure.from_status(status) is None
