"""Administrative messages of FIX 4.4 as typed values; the session makes them, and a decoder checks them."""

from __future__ import annotations

from dataclasses import dataclass

from crossrate.fix.codec import Extra, message, optional, required


@message("0")
@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Nothing else was to be said; or the answer to a TestRequest, with its id."""

    test_req_id: str | None = optional(112)
    extra: Extra = ()


@message("1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TestRequest:
    """Asks for a Heartbeat with this id."""

    __test__ = False

    test_req_id: str = required(112)
    extra: Extra = ()


@message("2")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResendRequest:
    """Asks for messages again, first to last number; 0 for all to the newest."""

    begin_seq_no: int = required(7)
    end_seq_no: int = required(16)
    extra: Extra = ()


@message("3")
@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A message breaks the protocol; reasons are crossrate.fix.faults.RejectReason."""

    ref_seq_num: int = required(45)
    ref_tag_id: int | None = optional(371)
    ref_msg_type: str | None = optional(372)
    session_reject_reason: int | None = optional(373)
    text: str | None = optional(58)
    encoded_text: bytes | None = optional(355)
    extra: Extra = ()


@message("4")
@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceReset:
    """The number of the next message; with `gap_fill_flag` in place of messages that are not sent again."""

    gap_fill_flag: bool | None = optional(123)
    new_seq_no: int = required(36)
    extra: Extra = ()


@message("5")
@dataclass(frozen=True, slots=True, kw_only=True)
class Logout:
    """Ends the session, or answers its end."""

    text: str | None = optional(58)
    encoded_text: bytes | None = optional(355)
    extra: Extra = ()


@message("A")
@dataclass(frozen=True, slots=True, kw_only=True)
class Logon:
    """Begins the session."""

    encrypt_method: int = required(98)
    heart_bt_int: int = required(108)
    raw_data: bytes | None = optional(96)
    reset_seq_num_flag: bool | None = optional(141)
    next_expected_msg_seq_num: int | None = optional(789)
    max_message_size: int | None = optional(383)
    test_message_indicator: bool | None = optional(464)
    username: str | None = optional(553)
    password: str | None = optional(554)
    extra: Extra = ()
