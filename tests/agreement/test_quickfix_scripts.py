"""QuickFIX's session scripts, where they are at hand; and that the runner finds what is wrong."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.agreement.quickfix_differences import DIFFERENCES, Different
from tests.agreement.quickfix_language import NotFix, NotTheLanguage, difference, parse, taken, written
from tests.agreement.quickfix_scripts import judged, mirrored, play

FOLDER = os.environ.get("CROSSRATE_QUICKFIX_SCRIPTS", "")
ASKED = "I8=FIX.4.4|35=A|34=1|49=TW44|52=<TIME>|56=ISLD|98=0|108=30|"
ANSWERED = "E8=FIX.4.4|9=63|35=A|34=1|49=ISLD|52=00000000-00:00:00|56=TW44|98=0|108=30|10=0|"
LOGON = f"iCONNECT\n{ASKED}\n{ANSWERED}\n"
TEST = "I8=FIX.4.4|35=1|34=2|49=TW44|52=<TIME>|56=ISLD|112=HELLO|\n"
BEAT = "E8=FIX.4.4|35=0|34=2|49=ISLD|52=0|56=TW44|112=HELLO|\n"
LEAVE = "I8=FIX.4.4|35=5|34=3|49=TW44|52=<TIME>|56=ISLD|\nE8=FIX.4.4|35=5|34=3|49=ISLD|52=0|56=TW44|\neDISCONNECT\n"


def script(text: str) -> bytes:
    """A script as it stands in its file."""
    return text.replace("|", "\x01").encode()


@pytest.mark.long
@pytest.mark.skipif(
    not FOLDER,
    reason="CROSSRATE_QUICKFIX_SCRIPTS names no folder: test/definitions/server/fix44 of github.com/quickfix/quickfix",
)
@pytest.mark.parametrize("role", ["acceptor", "initiator"])
def test_quickfixs_scripts_pass(role: str) -> None:
    """All of them, but for those that are declared to want what FIX 4.4 does not."""
    scripts = sorted(Path(FOLDER).glob("*.def"))
    assert len(scripts) >= 59
    outcomes = {each.stem: judged(each, role) for each in scripts}
    assert {name: why for name, (outcome, why) in outcomes.items() if outcome == "failed"} == {}
    assert {name for name, (outcome, _) in outcomes.items() if outcome == "differs"} == set(DIFFERENCES)
    assert sum(outcome == "passed" for outcome, _ in outcomes.values()) >= (56 if role == "acceptor" else 48)


@pytest.mark.parametrize("role", ["acceptor", "initiator"])
def test_a_script_that_is_right_passes(role: str) -> None:
    """Two connections, of which the second begins at 1 again; as the client's, and as the venue's."""
    steps = parse(script((LOGON + TEST + BEAT + LEAVE) * 2), "right")
    made = steps if role == "acceptor" else mirrored(steps)
    assert made is not None
    assert play(made, role) == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (TEST + BEAT.replace("HELLO", "OTHER") + LEAVE, r"line 5: .*came without 112=OTHER, with 112=HELLO"),
        (TEST + BEAT.replace("|112=HELLO", "") + LEAVE, r"line 5: .*came with 112=HELLO"),
        (TEST + BEAT + BEAT, r"line 6: .*came without 34=2, without 112=HELLO, with 34=3"),
        (TEST + LEAVE, r"line 6: .*came without 35=5"),
        (TEST + "eDISCONNECT\n", r"line 5: expected eDISCONNECT; came 8=FIX.4.4.*35=0"),
        (
            LEAVE.replace("34=3", "34=2").replace("eDISCONNECT\n", "") + BEAT,
            r"line 6: expected E.*; the connection was closed",
        ),
        ("i2,CONNECT\ne2,DISCONNECT\n" + "I3,8=FIX.4.4|35=0|\n", r"line 6: there is no connection 3"),
    ],
)
def test_a_script_that_is_wrong_fails_and_says_where(text: str, found: str) -> None:
    """Another value, a field too many or too few, a message that does not come or is not expected, no connection."""
    steps = parse(script(LOGON + text), "wrong")
    assert re.match(found, play(steps), re.DOTALL)


def test_a_script_about_a_clients_logon_is_not_mirrored() -> None:
    """One whose Logon is not answered, and one of two clients."""
    for text in (f"iCONNECT\n{ASKED}\neDISCONNECT", LOGON + "i2,CONNECT\n"):
        assert mirrored(parse(script(text), "logon")) is None


def test_a_declared_difference_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that is declared to differ never passes: it differs exactly so, or it fails."""
    path = tmp_path / "beat.def"
    path.write_bytes(script(LOGON + TEST + BEAT.replace("HELLO", "OTHER") + LEAVE))
    assert judged(path)[0] == "failed"
    for instead, outcome in ((BEAT, "differs"), (BEAT.replace("HELLO", "A"), "failed")):
        monkeypatch.setitem(DIFFERENCES, "beat", Different(5, instead.encode(), "why"))
        assert judged(path)[0] == outcome
    path.write_bytes(script(LOGON + TEST + BEAT + LEAVE))
    assert judged(path) == ("failed", "it is declared to differ and does not: take it out of DIFFERENCES")


@pytest.mark.parametrize("text", ["CONNECT", "iBIND", "eCONNECT", "Ihello", "R8=FIX.4.4|35=0|"])
def test_what_is_none_of_the_language_is_refused_with_its_line(text: str, tmp_path: Path) -> None:
    """Nothing is passed over but comments and empty lines."""
    path = tmp_path / "wrong.def"
    path.write_bytes(script(f"# words\n\n{text}\n"))
    with pytest.raises(NotTheLanguage, match="wrong:3"):
        parse(path.read_bytes(), "wrong")
    assert judged(path)[0] == "failed"


def test_what_is_sent_gets_its_length_its_checksum_and_its_times() -> None:
    """They are filled in where the script has none, and left as they are where it has."""
    now = {0: b"NOW", -121: b"BEFORE", 10: b"AFTER"}.__getitem__
    made = written(script("8=FIX.4.4|35=0|52=<TIME-121>|122=<TIME+10>|60=<TIME>|"), now)
    assert made.startswith(script("8=FIX.4.4|9=32|35=0|52=BEFORE|122=AFTER|60=NOW|10="))
    assert taken(made) == (made, b"")
    for as_it_is in ("8=FIX.4.4|9=40|35=A|10=256|", "35=0|8=FIX.4.4|9=29|10=121|"):
        assert written(script(as_it_is), now) == script(as_it_is)


def test_what_comes_is_held_to_its_length_and_its_checksum() -> None:
    """A message is taken once it is whole; one that is wrong is none."""
    right = written(script("8=FIX.4.4|35=0|34=2|"), lambda _: b"")
    assert taken(right[:-1]) is None
    assert taken(right + b"8=") == (right, b"8=")
    for wrong in (
        right.replace(b"34=2", b"34=3"),
        right.replace(b"9=10", b"9=11") + right,
        b"35=0\x018=FIX.4.4\x019=1\x01",
    ):
        with pytest.raises(NotFix):
            taken(wrong)


@pytest.mark.parametrize(
    ("came", "what"),
    [
        ("8=FIX.4.4|35=3|52=20260102-15:04:05.678|34=2|45=2|58=Invalid tag number|", ""),
        ("8=FIX.4.4|35=3|34=2|52=20260102-15:04:05|45=2|371=5|58=Invalid tag number: 5|", ""),
        ("8=FIX.4.4|35=3|34=2|52=now|45=2|58=Invalid tag number|", "52 is no time"),
        ("8=FIX.4.4|35=3|34=2|52=20260102-15:04:05|45=2|58=Other|", "58 should say 'Invalid tag number'"),
        ("8=FIX.4.4|35=3|34=2|52=20260102-15:04:05|45=2|", "without 58=Invalid tag number"),
        ("8=FIX.4.4|35=3|34=3|52=20260102-15:04:05|45=2|58=Invalid tag number|", "without 34=2, with 34=3"),
        ("8=FIX.4.4|35=3|34=2|45=2|58=Invalid tag number|", "without 52=0"),
        ("8=FIX.4.4|35=3|34=2|34=2|52=20260102-15:04:05|45=2|58=Invalid tag number|", "with 34=2"),
    ],
)
def test_only_what_is_left_to_the_sender_may_differ(came: str, what: str) -> None:
    """Order, times, more words and the tag of a Reject may; any other field, and one that is missing, may not."""
    assert difference(script("8=FIX.4.4|9=1|35=3|34=2|52=0|45=2|58=Invalid tag number|10=0|"), script(came)) == what
