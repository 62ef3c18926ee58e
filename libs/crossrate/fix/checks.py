"""What holds for the header of every message of a session."""

from __future__ import annotations

from collections.abc import Callable

from crossrate.fix.faults import Fault, RejectReason
from crossrate.fix.kinds import SEQUENCE_RESET
from crossrate.fix.message import BEGIN_STRING, NANOSECONDS, Message, Times
from crossrate.fix.rules import Rules


class Checks:
    """The checks of one session."""

    def __init__(self, rules: Rules, now_ns: Callable[[], int]) -> None:
        self.rules = rules
        self._now_ns = now_ns
        self._times = Times()

    def checked(self, message: Message) -> int:
        """The message's number, after what holds for every message.

        Raises:
            Fault: the session cannot go on, unless a tag is merely missing or empty.
        """
        rules = self.rules
        if message.begin_string != BEGIN_STRING:
            spoken = message.begin_string.decode("latin-1")
            raise Fault(RejectReason.OTHER, 8, f"Incorrect BeginString, {spoken} and not FIX.4.4")
        number = message.number(34)
        # The number of a SequenceReset that resets means nothing (volume 2): who has lost his numbers writes 0.
        resets = message.kind == SEQUENCE_RESET and message.get(123) != b"Y"
        if not number and not (number == 0 and resets):
            raise Fault(RejectReason.REQUIRED_TAG_MISSING, 34, f"the {rules.peer} sent a message without MsgSeqNum")
        names = message.get(49), message.get(56)
        if names != (rules.target.encode(), rules.sender.encode()):
            self._names(message)
        self.check_subs(message)
        off_s = (self._sent(message, 52) - self._now_ns()) / NANOSECONDS
        if abs(off_s) > rules.clock_s:
            raise Fault(
                RejectReason.SENDING_TIME_ACCURACY,
                52,
                f"the {rules.peer}'s SendingTime is {off_s:+.0f} s from our clock, more than {rules.clock_s:g} s",
            )
        return number

    def check_subs(self, message: Message) -> None:
        """Whether SubIDs, where both sides have them, are those of the session."""
        for tag, own in ((50, self.rules.target_sub), (57, self.rules.sender_sub)):
            if own and (told := message.get(tag)) and told != own.encode():
                raise Fault(RejectReason.COMP_ID_PROBLEM, tag, f"SubID is {message.text(tag)}, not {own}")

    def _names(self, message: Message) -> None:
        rules, there = self.rules, {pair[0]: pair[2] for pair in message.pairs}
        for tag in (49, 56):
            if b"%d" % tag not in there:
                raise Fault(RejectReason.REQUIRED_TAG_MISSING, tag)
            if not there[b"%d" % tag]:
                raise Fault(RejectReason.TAG_WITHOUT_VALUE, tag)
        text = f"CompIDs are {message.text(49)} to {message.text(56)}, not {rules.target} to {rules.sender}"
        raise Fault(RejectReason.COMP_ID_PROBLEM, None, text)

    def _sent(self, message: Message, tag: int) -> int:
        value = message.get(tag)
        try:
            return self._times.nanoseconds(value)
        except ValueError as error:
            reason = RejectReason.OTHER if not value else RejectReason.INCORRECT_DATA_FORMAT
            text = f"the {self.rules.peer} sent a message without a SendingTime that can be read"
            raise Fault(reason, tag, text) from error

    def check_original(self, message: Message) -> None:
        """Whether a possible duplicate says when it was sent first; a SequenceReset need not.

        Raises:
            Fault: it does not, or later than it was sent again.
        """
        if not message.get(122):
            if message.kind != b"4":
                raise Fault(RejectReason.REQUIRED_TAG_MISSING, 122)
            return
        try:
            original = self._times.nanoseconds(message.get(122))
        except ValueError as error:
            raise Fault(RejectReason.INCORRECT_DATA_FORMAT, 122) from error
        if original > self._times.nanoseconds(message.get(52)):
            raise Fault(RejectReason.SENDING_TIME_ACCURACY, 122)
