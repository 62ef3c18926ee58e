"""What the files that declare venues and clients have in common: how they are read, checked, and told to be wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
Account = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]


def _never(value: str) -> str:
    if value != "never":
        raise ValueError(
            f"{value!r} could lose or repeat an order, and is refused: what is under way when numbers begin at 1 is "
            "not sent again, and a side that goes on with old ones sends all again. Leave it out; a side that asks "
            "for it in its Logon (141=Y) is followed where may_reset is true"
        )
    return value


Reset = Annotated[str, AfterValidator(_never)]
"""When a FIX session that carries orders begins its numbers at 1 without being asked: never."""
ClockSeconds = Annotated[float, Field(ge=1, le=3600)]
"""How far a SendingTime (52) may be from our clock; what is further ends the session."""


class Frozen(BaseModel):
    """A part of a declaration: nothing that it does not know, and nothing changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Declared = TypeVar("Declared", bound=BaseModel)
Invalid = Callable[[str], Exception]
"""The error of a kind of file, of its words."""


def read(path: Path, setting: str, invalid: Invalid) -> str:
    """The text of a file that a setting names.

    Raises:
        invalid: it cannot be read.
    """
    try:
        return path.read_text()
    except OSError as error:
        raise invalid(f"{path}: cannot be read ({error.strerror}); {setting} names the file") from error


def checked(
    kind: type[Declared],
    text: str,
    source: str,
    invalid: Invalid,
    place: Callable[[Sequence[str]], Sequence[str]] = lambda path: path,
) -> Declared:
    """What a file declares.

    Args:
        source: how the file is called in words.
        place: the path of a field as it stands in the file, of that in the model.

    Raises:
        invalid: it is no TOML, or not such a declaration; a line for each field.
    """
    try:
        return kind.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise invalid(f"{source}: is not TOML: {error}") from error
    except ValidationError as error:
        lines = []
        for each in error.errors(include_url=False):
            where = ".".join(place([str(part) for part in each["loc"]]))
            words = each["msg"].removeprefix("Value error, ")
            lines.append(f"{source}: {where}: {words}" if where else f"{source}: {words}")
        raise invalid("\n".join(lines)) from error


def secret(path: Path, remedy: str, invalid: Invalid) -> str:
    """The text of a file that its owner alone may read.

    Args:
        remedy: what stands in it, as "write the venue's token there".

    Raises:
        invalid: it cannot be read, or others may read it.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise invalid(f"{path}: others may read it: chmod 600")
        return path.read_text().strip()
    except OSError as error:
        raise invalid(f"{path}: cannot be read ({error.strerror}): {remedy}") from error
