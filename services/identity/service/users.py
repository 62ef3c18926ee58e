"""UserService: persons."""

from __future__ import annotations

from dataclasses import replace

from crossrate.api.identity.v1 import user_pb2
from crossrate.api.identity.v1 import user_service_pb2 as pb
from crossrate.api.identity.v1.user_service_pb2_grpc import UserServiceServicer
from services.identity.domain.person import Person, State
from services.identity.messages import access_of, timestamp, user_message
from services.identity.service.calls import PAGE_DEFAULT, caller, key_of, need_free, once, token_after, told
from services.identity.settings import Settings
from services.identity.store import people
from services.identity.store.writing import Change, Writer
from services.identity.vault import new_secret


class UserService(UserServiceServicer):
    """Answers every call of the contract."""

    def __init__(self, writer: Writer, settings: Settings, issuer: str) -> None:
        self._writer = writer
        self._settings = settings
        self._issuer = issuer

    async def _ticket(self, change: Change, name: str, life_s: float) -> user_pb2.Ticket:
        secret = new_secret()
        expire_time = await people.give_ticket(change, name, secret, life_s)
        url = f"{self._issuer}/login/ticket?ticket={secret}"
        return user_pb2.Ticket(url=url, expire_time=timestamp(expire_time))

    async def CreateUser(self, request: pb.CreateUserRequest, context) -> pb.CreateUserResponse:
        """See the contract."""
        need_free("user.name", request.user.name)

        async def work(change: Change) -> pb.CreateUserResponse:
            wanted = request.user
            person = Person(
                name=wanted.name,
                desk=wanted.desk,
                state=State.INVITED,
                access=access_of(request.access),
                create_time=change.now,
                update_time=change.now,
                display_name=wanted.display_name,
                email=wanted.email,
            )
            made = await people.create(change, person)
            ticket = None
            if not request.validate_only:
                ticket = await self._ticket(change, made.name, self._settings.invitation_life_s)
            return pb.CreateUserResponse(user=user_message(made), ticket=ticket)

        return await once(self._writer, request, work, pb.CreateUserResponse)

    async def GetUser(self, request: pb.GetUserRequest, context) -> pb.GetUserResponse:
        """See the contract."""
        with told():
            async with self._writer.database.connection() as connection:
                return pb.GetUserResponse(user=user_message(await people.known(connection, request.name)))

    async def ListUsers(self, request: pb.ListUsersRequest, context) -> pb.ListUsersResponse:
        """See the contract."""
        choice, size = f"users|{request.desk}", request.page_size or PAGE_DEFAULT
        after = key_of(request.page_token, choice)
        with told():
            async with self._writer.database.connection() as connection:
                found = await people.page(connection, request.desk, after, size + 1)
        following = token_after(found[size - 1].name, choice) if len(found) > size else ""
        return pb.ListUsersResponse(users=map(user_message, found[:size]), next_page_token=following)

    async def UpdateUser(self, request: pb.UpdateUserRequest, context) -> pb.UpdateUserResponse:
        """See the contract."""
        wanted = request.user

        async def work(change: Change) -> pb.UpdateUserResponse:
            person = await people.known(change.connection, wanted.name)
            person = replace(person, display_name=wanted.display_name, email=wanted.email, desk=wanted.desk)
            changed = await people.update(change, wanted.name, person, request.expected_version)
            return pb.UpdateUserResponse(user=user_message(changed))

        return await once(self._writer, request, work, pb.UpdateUserResponse)

    async def SetUserState(self, request: pb.SetUserStateRequest, context) -> pb.SetUserStateResponse:
        """See the contract."""
        disabled = request.state == user_pb2.USER_STATE_DISABLED

        async def work(change: Change) -> pb.SetUserStateResponse:
            person = await people.set_state(change, request.name, disabled, caller(), request.comment)
            return pb.SetUserStateResponse(user=user_message(person))

        return await once(self._writer, request, work, pb.SetUserStateResponse)

    async def ResetUser(self, request: pb.ResetUserRequest, context) -> pb.ResetUserResponse:
        """See the contract."""

        async def work(change: Change) -> pb.ResetUserResponse:
            person = await people.reset(
                change,
                request.name,
                caller(),
                password=request.password,
                factors=request.second_factors,
                comment=request.comment,
            )
            ticket = None
            if request.password:
                ticket = await self._ticket(change, person.name, self._settings.recovery_life_s)
            return pb.ResetUserResponse(user=user_message(person), ticket=ticket)

        return await once(self._writer, request, work, pb.ResetUserResponse)
