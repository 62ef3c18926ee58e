"""The session-level test cases of FIX 4.4, volume 2, by their numbers, for both sides; see conformance.py."""

from __future__ import annotations

import pytest

from tests.unit.fix.conformance import run

BOTH, ACCEPTOR, INITIATOR = ("acceptor", "initiator"), ("acceptor",), ("initiator",)
LEAVE = "\n > 5\n < 5\n closed"

CASES: dict[str, tuple[tuple[str, ...], str]] = {
    # 1B: the initiator connects and logs on
    "1B-a a Logon is sent": (INITIATOR, "begin\n < A 34=1 98=0 108=30"),
    "1B-b a valid answer begins the session": (INITIATOR, "logon\n > 1 112=X\n < 0 112=X" + LEAVE),
    "1B-c an answer from somebody else ends it": (
        INITIATOR,
        "begin\n < A\n > A 49=OTHER\n < 3 45=1 373=9\n < 5\n closed",
    ),
    "1B-c an answer of the wrong time ends it": (INITIATOR, "begin\n < A\n > A 52=-121\n < 3 373=10\n < 5\n closed"),
    "1B-d another message than Logon ends it": (INITIATOR, "begin\n < A\n > 0\n < 5\n closed"),
    "1B-e no answer ends it": (INITIATOR, "begin\n < A\n ~ 10\n closed"),
    "1B-f an answer with a number too high is followed by a ResendRequest": (
        INITIATOR,
        "begin\n < A\n > A 34=5\n < 2 7=1 16=0\n > 4 34=1 43=Y 123=Y 36=6\n > 1 34=6 112=X\n < 0 112=X",
    ),
    # 1S: the acceptor receives a Logon
    "1S-a a valid Logon is answered": (ACCEPTOR, "> A\n < A 34=1 98=0 108=30 !141" + LEAVE),
    "1S-a a number too high is answered, and asked about": (ACCEPTOR, "> A 34=5\n < A 34=1\n < 2 34=2 7=1 16=0"),
    "1S-a a number too low is refused": (
        ACCEPTOR,
        "logon\n > 0\n reset\n > A 34=1\n < 5 58=MsgSeqNum_too_low,_expecting_3_but_received_1\n closed",
    ),
    "1S-c an unknown sender gets no answer": (ACCEPTOR, "> A 49=WT\n closed"),
    "1S-c a message for somebody else gets no answer": (ACCEPTOR, "> A 56=WT\n closed"),
    "1S-d a wrong time gets no answer": (ACCEPTOR, "> A 52=20010101-00:00:00\n closed"),
    "1S-d another BeginString gets no answer": (ACCEPTOR, "> A 8=FIX.3.9\n closed"),
    "1S-d a wrong length gets no answer": (
        ACCEPTOR,
        ">> 8=FIX.4.4|9=40|35=A|34=1|49=THEM|52=20260102-15:20:45|56=US|98=0|108=30|10=123|\n closed",
    ),
    "1S-d without a heartbeat interval it is refused": (
        ACCEPTOR,
        "> A 108=~\n < 5 58=HeartBtInt_is_missing,_not_1_to_300_seconds\n closed",
    ),
    "1S-d encryption is refused": (ACCEPTOR, "> A 98=2\n < 5 58=EncryptMethod_is_2,_not_0\n closed"),
    "1S-e the first message is a Logon": (ACCEPTOR, "> 0\n closed"),
    "1S-f whoever does not log on is left": (ACCEPTOR, "~ 10\n closed"),
    # 2: the standard header
    "2-a numbers that rise by one": (BOTH, "logon\n > 0\n > 0\n > 0\n > 0" + LEAVE),
    "2-b a number too high is asked about": (
        BOTH,
        "logon\n > 0\n > 0 34=10\n < 2 7=3 16=0\n"
        + "".join(f" > 0 34={number} 43=Y\n" for number in range(3, 10))
        + " > 5 34=11\n < 5 34=3\n closed",
    ),
    "2-c a number too low ends the session": (
        BOTH,
        "logon\n > 0\n > 0\n > 0\n > 0 34=2\n < 5 58=MsgSeqNum_too_low,_expecting_5_but_received_2\n closed",
    ),
    "2-d a garbled message is ignored, and its gap asked about": (
        BOTH,
        "logon\n >> 8=FIX.4.4|9=81|35=D|34=2|49garbled=TW|52=x|56=US|11=ID|10=001|\n"
        " > 0 34=3\n < 2 7=2 16=0\n > D 34=2 43=Y\n = D 11=ID\n > 5 34=4\n < 5\n closed",
    ),
    "2-e a duplicate that came is ignored": (BOTH, "logon\n > 0\n > 0 34=2 43=Y\n > 0 34=3\n > 5 34=4\n < 5\n closed"),
    "2-e a duplicate that did not come is taken": (BOTH, "logon\n > D 43=Y\n = D" + LEAVE),
    "2-f a duplicate older than its original is rejected, and ends the session": (
        BOTH,
        "logon\n > D\n = D\n > D 34=2 43=Y 122=10\n < 3 45=2 372=D 373=10\n < 5\n closed",
    ),
    "2-g a duplicate without OrigSendingTime is rejected, and changes no number": (
        BOTH,
        "logon\n > D\n = D\n > D 34=2 43=Y 122=~\n < 3 45=2 371=122 372=D 373=1\n > 1 112=X\n < 0 112=X" + LEAVE,
    ),
    "2-i another BeginString ends the session": (
        BOTH,
        "logon\n > 1 8=FIX.4.1 112=X\n < 5 58=Other:_Incorrect_BeginString,_FIX.4.1_and_not_FIX.4.4\n closed",
    ),
    "2-k a wrong SenderCompID is rejected, and ends the session": (
        BOTH,
        "logon\n > D 49=WT\n < 3 45=2 372=D 373=9\n < 5\n closed",
    ),
    "2-k a wrong TargetCompID is rejected, and ends the session": (
        BOTH,
        "logon\n > D 56=WT\n < 3 45=2 372=D 373=9\n < 5\n closed",
    ),
    "2-m a length too short is garbled": (
        BOTH,
        "logon\n >> 8=FIX.4.4|9=30|35=D|34=2|49=THEM|52=20260102-15:04:05|56=US|11=ID|54=1|55=EUR/USD|10=123|\n"
        " > D 34=3 11=B\n < 2 7=2 16=0\n > D 34=2 43=Y 11=A\n = D 11=A\n = D 11=B\n > 5 34=4\n < 5\n closed",
    ),
    "2-m a length too long is garbled": (
        BOTH,
        "logon\n >> 8=FIX.4.4|9=111|35=D|34=2|49=THEM|52=20260102-15:04:05|56=US|11=ID|54=1|55=EUR/USD|10=123|\n"
        " > D 34=3 11=B\n < 2 7=2 16=0\n > D 34=2 43=Y 11=A\n = D 11=A\n = D 11=B\n > 5 34=4\n < 5\n closed",
    ),
    "2-o a SendingTime too early is rejected, and ends the session": (
        BOTH,
        "logon\n > 0 52=-121\n < 3 45=2 372=0 373=10\n < 5\n closed",
    ),
    "2-o a SendingTime too late is rejected, and ends the session": (
        BOTH,
        "logon\n > 0 52=121\n < 3 45=2 372=0 373=10\n < 5\n closed",
    ),
    "2-q a MsgType that does not exist is rejected": (
        BOTH,
        "logon\n > *\n < 3 45=2 372=* 373=11 58=Invalid_MsgType" + LEAVE,
    ),
    "2-r a MsgType that is not taken is refused by the business": (
        BOTH,
        "logon\n > 8\n < j 45=2 372=8 380=3 58=Unsupported_Message_Type" + LEAVE,
    ),
    "2-t BeginString, BodyLength, MsgType in another order are garbled": (
        BOTH,
        "logon\n >> 35=0|8=FIX.4.4|9=29|34=2|49=THEM|52=20260102-15:04:05|56=US|10=121|\n > 1 112=X\n < 0 112=X\n"
        " >> 8=FIX.4.4|34=3|9=30|35=0|49=THEM|52=20260102-15:04:05|56=US|10=121|\n > 1 112=Y\n < 0 112=Y" + LEAVE,
    ),
    # 3: the standard trailer
    "3-a a right checksum": (BOTH, "logon\n > 1 112=X\n < 0 112=X" + LEAVE),
    "3-b a wrong checksum is garbled": (
        BOTH,
        "logon\n >> 8=FIX.4.4|9=45|35=0|34=2|49=THEM|52=20260102-15:20:45|56=US|10=256|\n > 0" + LEAVE,
    ),
    # 4 to 6: heartbeats
    "4-a a Heartbeat after silence of ours": (BOTH, "logon 108=6\n ~ 6\n < 0 !112\n > 0\n ~ 6\n < 0\n > 0" + LEAVE),
    "4-b a TestRequest is answered with its id": (BOTH, "logon\n > 1 112=HELLO\n < 0 112=HELLO" + LEAVE),
    "4-c a TestRequest has an id": (BOTH, "logon\n > 1\n < 3 45=2 371=112 372=1 373=1" + LEAVE),
    "5-a a Heartbeat is taken": (BOTH, "logon\n > 0\n > 0 112=X" + LEAVE),
    "6-a silence of the peer is tested, and ends the session": (
        BOTH,
        "logon 108=6\n ~ 6\n < 0\n > 0\n ~ 6\n < 0\n ~ 2\n < 1 112=test-4\n > 0 112=test-4\n ~ 6\n < 0\n ~ 2\n < 1\n"
        " ~ 7\n < 0\n ~ 1\n closed",
    ),
    # 7: Reject
    "7-a a Reject counts": (BOTH, "logon\n > 3 45=1\n = 3 45=1" + LEAVE),
    # 8: ResendRequest
    "8-a only administrative messages are one gap fill": (
        BOTH,
        "logon\n"
        + " > 1 112=X\n < 0\n" * 3
        + " > 2 7=1 16=4\n < 4 34=1 43=Y 123=Y 36=5\n > 1 112=X\n < 0 34=5\n > 2 7=1 16=0\n < 4 34=1 36=6"
        + LEAVE,
    ),
    "8-b application messages are sent again as they were": (
        BOTH,
        "logon\n ! D 11=A\n < D 34=2\n ! D 11=B\n < D 34=3\n > 2 7=2 16=3\n < D 34=2 43=Y 11=A\n < D 34=3 43=Y 11=B\n"
        " > 1 112=X\n < 0 34=4\n > 2 7=2 16=0\n < D 34=2 43=Y\n < D 34=3 43=Y\n < 4 34=4 43=Y 123=Y 36=5" + LEAVE,
    ),
    "8-c both kinds alternate": (
        BOTH,
        "logon\n > 1 112=X\n < 0 34=2\n ! D 11=A\n < D 34=3\n > 1 112=X\n < 0 34=4\n > 1 112=X\n < 0 34=5\n ! D 11=B\n"
        " < D 34=6\n > 2 7=1 16=0\n < 4 34=1 43=Y 36=3\n < D 34=3 43=Y 11=A\n < 4 34=4 43=Y 36=6\n < D 34=6 43=Y 11=B"
        "\n > 2 7=4 16=5\n < 4 34=4 36=6\n > 2 7=5 16=99\n < 4 34=5 36=6\n < D 34=6" + LEAVE,
    ),
    "8-d a request without a range is rejected": (BOTH, "logon\n > 2 7=1\n < 3 371=16 372=2 373=1" + LEAVE),
    # 9: synchronisation by a Logon that resets
    "9-a a Logon that resets the numbers of a standing session": (
        BOTH,
        "logon\n > 0\n > 0\n > 1 112=1\n < 0 34=2\n > A 34=1 141=Y\n < A 34=1 141=Y\n > 1 34=2 112=1\n < 0 34=2 112=1\n"
        " > 5 34=3\n < 5 34=3\n closed",
    ),
    "9-b a second Logon that does not is none": (BOTH, "logon\n > A\n < 5\n closed"),
    # 10: SequenceReset with GapFill
    "10-a its number is too high": (BOTH, "logon\n > 4 34=10 123=Y 36=20\n < 2 7=2 16=0\n > 5 34=2\n < 5\n closed"),
    "10-b its number is due": (
        BOTH,
        "logon\n > 4 123=Y 36=20\n > 1 34=20 112=X\n < 0 112=X\n > 5 34=21\n < 5\n closed",
    ),
    "10-c its number is too low and a duplicate's": (
        BOTH,
        "logon\n > 4 34=1 43=Y 123=Y 36=20\n > 1 112=X\n < 0 112=X" + LEAVE,
    ),
    "10-d its number is too low": (
        BOTH,
        "logon\n > 4 34=1 123=Y 36=20\n < 5 58=MsgSeqNum_too_low,_expecting_2_but_received_1\n closed",
    ),
    "10-e it lowers the number": (BOTH, "logon\n > 0\n > 4 123=Y 36=2\n < 3 45=3 371=36 372=4 373=5" + LEAVE),
    # 11: SequenceReset with Reset
    "11-a its NewSeqNo is greater": (
        BOTH,
        "logon\n > 4 34=99 36=25\n > 1 34=25 112=X\n < 0 112=X\n > 4 34=1 36=50 123=N\n > 1 34=50 112=Y\n < 0 112=Y\n"
        " > 5 34=51\n < 5\n closed",
    ),
    "11-b its NewSeqNo is what is due": (BOTH, "logon\n > 4 34=99 36=2\n > 1 112=X\n < 0 112=X" + LEAVE),
    "11-c its NewSeqNo is less": (
        BOTH,
        "logon\n > 4 34=99 36=1\n < 3 45=99 371=36 372=4 373=5\n > 1 112=X\n < 0 34=3" + LEAVE,
    ),
    "11-d its own number is 0": (
        BOTH,
        "logon\n > 4 34=0 36=25\n > 1 34=25 112=X\n < 0 112=X\n > 4 34=0 36=1\n < 3 45=0 372=4 373=5\n"
        " > 1 34=26 112=Y\n < 0 112=Y\n > 5 34=27\n < 5\n closed",
    ),
    # 12 and 13: Logout
    "12-a our Logout is answered": (BOTH, "logon\n end\n < 5 34=2\n > 5\n closed"),
    "12-b our Logout is not answered": (BOTH, "logon\n end\n < 5\n ~ 2\n closed"),
    "12-c what comes before the answer is taken": (BOTH, "logon\n end\n < 5\n > D\n = D\n > 5\n closed"),
    "13-b an unsolicited Logout is answered": (BOTH, "logon" + LEAVE),
    # 14: messages that are wrong
    "14-a a tag that FIX 4.4 does not have": (
        BOTH,
        "logon\n > 0 999=HI\n < 3 45=2 371=999 372=0 373=0\n > 0 0=HI\n < 3 45=3 371=0 373=0\n > 0 -1=HI\n"
        " < 3 45=4 371=-1 373=0\n > 0 x=HI\n < 3 45=5 !371 373=0" + LEAVE,
    ),
    "14-a a tag of the parties' own is taken": (BOTH, "logon\n > D 5000=HI\n = D 5000=HI" + LEAVE),
    "14-b a required tag is missing": (
        BOTH,
        "logon\n > 0 56=~\n < 3 45=2 371=56 372=0 373=1\n > D 11=~\n < 3 45=3 371=11 372=D 373=1" + LEAVE,
    ),
    "14-c a tag is not of this message": (BOTH, "logon\n > 0 55=EUR/USD\n < 3 45=2 371=55 372=0 373=2" + LEAVE),
    "14-d a tag has no value": (
        BOTH,
        "logon\n > 0 56=\n < 3 45=2 371=56 372=0 373=4\n > D 11=\n < 3 45=3 371=11 372=D 373=4" + LEAVE,
    ),
    "14-e a value is not in the list": (
        BOTH,
        "logon\n > D 54=Z\n < 3 45=2 371=54 372=D 373=5\n > D 21=4\n < 3 45=3 371=21 372=D 373=5\n > D 21=1\n = D"
        + LEAVE,
    ),
    "14-e a SecurityType is not in the list of FIX 4.4, with what FX venues write there": (
        BOTH,
        "logon\n > D 167=BOO\n < 3 45=2 371=167 372=D 373=5\n > D 167=CS\n = D\n > D 167=FXSPOT\n = D" + LEAVE,
    ),
    "14-f a value has the wrong form": (
        BOTH,
        "logon\n > D 38=+200.00\n < 3 45=2 371=38 372=D 373=6\n > D 38=1e6\n < 3 371=38 373=6\n"
        " > D 60=20040415\n < 3 371=60 373=6" + LEAVE,
    ),
    "14-g the header stands behind the body": (
        BOTH,
        "logon\n > D 116=X\n < 3 45=2 371=116 372=D 373=14" + LEAVE,
    ),
    "14-h a tag stands twice": (
        BOTH,
        "logon\n > D raw=1 11=ID 40=1 40=2 54=1 55=EUR/USD 60=20260102-15:04:05\n < 3 45=2 371=40 372=D 373=13" + LEAVE,
    ),
    "14-i a group has another count": (
        BOTH,
        "logon\n > D 386=3 336=PRE-OPEN 625=x\n < 3 45=2 371=386 372=D 373=16" + LEAVE,
    ),
    "14-j a group does not begin with its first field": (
        BOTH,
        "logon\n > D 386=1 625=x 336=PRE\n < 3 45=2 371=625 372=D 373=15" + LEAVE,
    ),
    "14-k a conditionally required field is missing": (BOTH, "logon\n > D 40=2\n < j 45=2 372=D 379=ID 380=5" + LEAVE),
    # 15: order of fields
    "15-a fields may stand in another order": (
        BOTH,
        "logon\n > D raw=1 40=1 55=EUR/USD 60=20260102-15:04:05 54=1 11=id\n = D 11=id\n > D 11=b\n = D 11=b" + LEAVE,
    ),
    # 16: what was sent while there was no connection
    "16-a it is sent when it is asked for": (
        BOTH,
        "logon\n > 0\n reset\n ! D 11=A\n ! D 11=B\n logon\n > 2 7=2 16=0\n < D 34=2 43=Y 11=A\n < D 34=3 43=Y 11=B\n"
        " < 4 34=4 36=5" + LEAVE,
    ),
    # 18: third parties
    "18-a a reject goes back through whom the message came": (
        BOTH,
        "logon\n > D 115=JCD 40=w\n < 3 128=JCD 371=40 373=5\n > D 128=JCD 40=w\n < 3 115=JCD 371=40" + LEAVE,
    ),
    # 19: PossResend
    "19-b the application is told that a message may have come under another number": (
        BOTH,
        "logon\n > D 11=id\n = D 11=id !97\n > D 97=Y 11=id\n = D 97=Y 11=id" + LEAVE,
    ),
    # 20: both sides miss something
    "20-a both ask at the same time": (
        BOTH,
        "logon\n ! D 11=A\n < D 34=2\n ! D 11=B\n < D 34=3\n > 0 34=7\n < 2 34=4 7=2 16=0\n > 2 34=8 7=2 16=3\n"
        " < D 34=2 43=Y 11=A\n < D 34=3 43=Y 11=B\n"
        + "".join(f" > 0 34={number} 43=Y\n" for number in range(2, 7))
        + " > 5 34=9\n < 5\n closed",
    ),
    "20-b a duplicate that is wrong does not hold back the rest": (
        BOTH,
        "logon\n > 1 34=3 112=A\n < 2 7=2 16=0\n > D 34=2 43=Y 60=20040415\n < 3 45=2 371=60 373=6\n < 0 112=A\n"
        " > 1 34=4 112=B\n < 0 112=B\n > 5 34=5\n < 5\n closed",
    ),
    # 21: an empty group
    "21-a a group of nothing": (
        BOTH,
        "logon\n > y 320=a 322=b 560=0 146=0\n = y" + LEAVE,
    ),
}


@pytest.mark.parametrize(("name", "role"), [(name, role) for name, (roles, _) in CASES.items() for role in roles])
def test_a_case_of_the_standard(name: str, role: str) -> None:
    """The session does what the case asks for, in either role."""
    run(CASES[name][1], role)
