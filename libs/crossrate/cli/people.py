"""What `crossrate users`, `grants` and `desks` do: identity, asked as who is logged in, else as the local operator."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from crossrate.api.identity.v1 import access_pb2, grant_service_pb2_grpc, user_pb2, user_service_pb2_grpc
from crossrate.api.identity.v1 import grant_service_pb2 as grants
from crossrate.api.identity.v1 import user_service_pb2 as users
from crossrate.api.policy.v1 import policy_pb2
from crossrate.cli import reach, show
from crossrate.cli.desk import word
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError

T = TypeVar("T")
PAGE = 1000


def new_id() -> str:
    """A request id."""
    return str(uuid.uuid4())


def ask(stub: type, question: Callable[[Any], Awaitable[T]]) -> T:
    """Asks one thing of a service."""

    async def run() -> T:
        async with reach.people() as channel:
            return await question(stub(channel))

    return asyncio.run(run())


def access(roles: Iterable[str], accounts: Iterable[str], instruments: Iterable[str]) -> access_pb2.Access:
    """What is meant by words; commas separate several."""
    numbers = []
    for role in words_of(roles):
        name = f"ROLE_{role.upper().replace('-', '_')}"
        if name not in dict(policy_pb2.Role.items()) or name == "ROLE_UNSPECIFIED":
            known = ", ".join(n.removeprefix("ROLE_").lower() for n in policy_pb2.Role.keys()[1:])
            raise CommandError(f"there is no role {role!r}", f"there are {known}")
        numbers.append(policy_pb2.Role.Value(name))
    return access_pb2.Access(roles=numbers, accounts=words_of(accounts), instruments=words_of(instruments))


def words_of(given: Iterable[str]) -> list[str]:
    """Words, of which commas separate several."""
    return [word for text in given for word in text.split(",") if word]


def roles_of(message: access_pb2.Access) -> str:
    """Roles for people."""
    return ", ".join(policy_pb2.Role.Name(role).removeprefix("ROLE_").lower() for role in message.roles)


def moment(stamp: Any) -> str:
    """A time for people, UTC; empty for none."""
    return stamp.ToDatetime().strftime("%Y-%m-%d %H:%M") if stamp.seconds else ""


def _ticket(ticket: user_pb2.Ticket, what: str) -> None:
    if ticket.url:
        print(ticket.url)
        show.note(
            f"the {what}: good until {moment(ticket.expire_time)} UTC, once. Hand it over where only they read it."
        )


# Persons


def invite(name: str, desk: str, display_name: str, email: str, may: access_pb2.Access, *, as_json: bool) -> None:
    """Enters a person and prints the invitation."""
    user = user_pb2.User(name=name, desk=desk, display_name=display_name, email=email)
    request = users.CreateUserRequest(request_id=new_id(), user=user, access=may)
    made = ask(user_service_pb2_grpc.UserServiceStub, lambda stub: stub.CreateUser(request))
    if as_json:
        show.document(as_dict(made))
    else:
        _ticket(made.ticket, "invitation")


def list_users(desk: str, *, as_json: bool) -> None:
    """Persons as a table."""

    async def every(stub: Any) -> list[user_pb2.User]:
        found, token = [], ""
        while True:
            page = await stub.ListUsers(users.ListUsersRequest(desk=desk, page_size=PAGE, page_token=token))
            found.extend(page.users)
            if not (token := page.next_page_token):
                return found

    found = ask(user_service_pb2_grpc.UserServiceStub, every)
    if as_json:
        show.document([as_dict(user) for user in found])
        return
    rows = [
        (
            u.name,
            u.desk,
            word(u, "state").lower(),
            roles_of(u.access),
            ", ".join(u.access.accounts),
            _factors(u),
            moment(u.last_login_time),
        )
        for u in found
    ]
    show.table(("name", "desk", "state", "roles", "accounts", "second factor", "last login"), rows)


def _factors(user: user_pb2.User) -> str:
    found = ["codes"] if user.has_totp else []
    return ", ".join(found + ([f"{user.passkey_count} passkeys"] if user.passkey_count else [])) or "none"


def show_user(name: str, *, as_json: bool) -> None:
    """One person."""
    request = users.GetUserRequest(name=name)
    user = ask(user_service_pb2_grpc.UserServiceStub, lambda stub: stub.GetUser(request)).user
    if as_json:
        show.document(as_dict(user))
        return
    rows = [
        ("name", f"{user.display_name} ({user.name})" if user.display_name else user.name),
        ("desk", user.desk),
        ("state", word(user, "state").lower()),
        *access_rows(user.access),
        ("second factor", _factors(user)),
        ("last login", moment(user.last_login_time)),
        ("locked until", moment(user.locked_until_time)),
    ]
    show.table(("", ""), rows)


def access_rows(message: access_pb2.Access) -> list[tuple[str, str]]:
    """What somebody may do, as rows of a table."""
    return [
        ("roles", roles_of(message) or "none"),
        ("accounts", ", ".join(message.accounts) or "none"),
        ("instruments", ", ".join(message.instruments) or "none"),
    ]


def set_state(name: str, disabled: bool, comment: str, *, as_json: bool) -> None:
    """Lets a person in or not."""
    state = user_pb2.USER_STATE_DISABLED if disabled else user_pb2.USER_STATE_ACTIVE
    request = users.SetUserStateRequest(request_id=new_id(), name=name, state=state, comment=comment)
    user = ask(user_service_pb2_grpc.UserServiceStub, lambda stub: stub.SetUserState(request)).user
    done(user, f"{name} is {word(user, 'state').lower()}", as_json=as_json)


def reset(name: str, password: bool, factors: bool, comment: str, *, as_json: bool) -> None:
    """Unlocks a person, and more if asked."""
    request = users.ResetUserRequest(
        request_id=new_id(), name=name, password=password, second_factors=factors, comment=comment
    )
    answer = ask(user_service_pb2_grpc.UserServiceStub, lambda stub: stub.ResetUser(request))
    if as_json:
        show.document(as_dict(answer))
        return
    show.console().print(f"{name} is reset", markup=False)
    _ticket(answer.ticket, "recovery link")


def done(message: Any, words: str, *, as_json: bool) -> None:
    """Says that a change is made."""
    if as_json:
        show.document(as_dict(message))
    else:
        show.console().print(words, markup=False)


# Grants and desks


def show_access(subject: str, *, as_json: bool) -> None:
    """What a person or a client may do."""
    request = grants.GetAccessRequest(subject=subject)
    answer = ask(grant_service_pb2_grpc.GrantServiceStub, lambda stub: stub.GetAccess(request))
    if as_json:
        show.document(as_dict(answer))
    else:
        show.table(("", ""), [("subject", subject), ("desk", answer.desk), *access_rows(answer.access)])


def change_access(
    subject: str, may: access_pb2.Access, comment: str, *, take: bool, dry_run: bool, as_json: bool
) -> None:
    """Grants, or takes away."""
    kind = grants.RevokeAccessRequest if take else grants.GrantAccessRequest
    request = kind(request_id=new_id(), subject=subject, access=may, comment=comment, validate_only=dry_run)
    method = "RevokeAccess" if take else "GrantAccess"
    answer = ask(grant_service_pb2_grpc.GrantServiceStub, lambda stub: getattr(stub, method)(request))
    if as_json:
        show.document(as_dict(answer))
    else:
        show.table(("", ""), [("subject", subject), *access_rows(answer.access)])


def create_desk(name: str, display_name: str, *, as_json: bool) -> None:
    """Opens a desk."""
    desk = grants.Desk(name=name, display_name=display_name)
    request = grants.CreateDeskRequest(request_id=new_id(), desk=desk)
    answer = ask(grant_service_pb2_grpc.GrantServiceStub, lambda stub: stub.CreateDesk(request))
    done(answer.desk, f"desk {name} is open", as_json=as_json)


def list_desks(*, as_json: bool) -> None:
    """Desks."""
    answer = ask(grant_service_pb2_grpc.GrantServiceStub, lambda stub: stub.ListDesks(grants.ListDesksRequest()))
    if as_json:
        show.document([as_dict(desk) for desk in answer.desks])
    else:
        show.table(("desk", "name", "since"), [(d.name, d.display_name, moment(d.create_time)) for d in answer.desks])
