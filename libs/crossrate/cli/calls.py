"""`call`: any method of the platform from the shell."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

from crossrate.cli import reach, show
from crossrate.cli.requests import as_dict, parse, read_text
from crossrate.cli.show import CommandError
from crossrate.rpc.client import ContractChannel
from crossrate.rpc.contract import MethodContract, find_method


def contract_of(name: str) -> MethodContract:
    """The method that a person means.

    Raises:
        CommandError: none or more than one is called that.
    """
    try:
        return find_method(name)
    except LookupError as error:
        raise CommandError(str(error), "`crossrate routes` lists every method") from None


def caller_for(channel: ContractChannel, method: MethodContract) -> Any:
    """The callable for one method on a channel, as a generated stub would make it."""
    from google.protobuf import message_factory

    make = channel.unary_stream if method.server_streaming else channel.unary_unary
    return make(
        method.path,
        request_serializer=message_factory.GetMessageClass(method.input).SerializeToString,
        response_deserializer=message_factory.GetMessageClass(method.output).FromString,
    )


def call(
    name: str,
    text: str,
    *,
    service: str,
    local: str,
    target: str,
    ca: Path | None,
    client: str | None,
    timeout_s: float | None,
    max_messages: int,
    as_json: bool,
) -> None:
    """Calls a method and prints its answer, or the messages of its stream as JSON lines."""
    method = contract_of(name)
    if method.client_streaming:
        raise CommandError(f"{method.name} takes a stream of requests, which a command line cannot give")
    if sum(map(bool, (service, local, target))) > 1:
        raise CommandError("--as, --local and --target exclude each other", "choose one way to the method")
    request = parse(read_text(text), method.input)
    if method.retryable and "request_id" in method.input.fields_by_name and not request.request_id:
        request.request_id = str(uuid.uuid4())
        show.note(f'requestId: "{request.request_id}"')

    async def run() -> None:
        if service:
            channel = reach.as_service(service)
        elif local:
            channel = reach.instance(local)
        else:
            channel = reach.edge(target, ca, client)
        async with channel:
            called = caller_for(channel, method)(request, timeout=timeout_s)
            if not method.server_streaming:
                _print(as_dict(await called), as_json)
                return
            received = 0
            async for message in called:
                show.line(as_dict(message))
                received += 1
                if received == max_messages:
                    called.cancel()
                    return

    asyncio.run(run())


def _print(answer: dict[str, Any], as_json: bool) -> None:
    if as_json or not show.console().is_terminal:
        show.document(answer)
    else:
        show.console().print_json(data=answer)
