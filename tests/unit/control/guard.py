"""The JSON guard's script in the LuaJIT that Envoy has too, loaded as a proxy's worker loads it."""

from __future__ import annotations

import json
from pathlib import Path

from lupa import luajit21

ORDERS = Path(__file__).parents[2] / "contract" / "orders.proto"


class Guard:
    """The script, loaded as a proxy's worker loads it."""

    def __init__(self, script: str) -> None:
        self._lua = luajit21.LuaRuntime(encoding=None)
        self._lua.execute(script.encode())

    def judge(self, verb: str, path: str, body: bytes) -> tuple[int, dict] | None:
        """Status and answer of a refusal; None if the body may pass."""
        names = self._lua.globals()
        route = names.route_of(verb.encode(), path.encode())
        assert route is not None, f"{verb} {path} is not a binding"
        refused = names.judge(route, body)
        return refused and (int(refused[0]), json.loads(refused[1]))

    def judge_query(self, verb: str, path: str) -> tuple[int, dict] | None:
        """Status and answer of a refusal; None if the query may pass."""
        names = self._lua.globals()
        refused = names.judge_query(names.route_of(verb.encode(), path.encode()), path.encode())
        return refused and (int(refused[0]), json.loads(refused[1]))

    def knows(self, verb: str, path: str) -> bool:
        """Whether the guard would look at the body of such a request."""
        return self._lua.globals().route_of(verb.encode(), path.encode()) is not None

    def is_grpc(self, content_type: bytes | None) -> bool:
        """Whether the guard leaves requests of this content type alone."""
        return self._lua.globals().is_grpc(content_type)


def place(guard: Guard, body: object) -> tuple[int, dict] | None:
    """The verdict on a body whose every field comes from the body."""
    return guard.judge("POST", "/v1/orders:place", body if isinstance(body, bytes) else json.dumps(body).encode())


def violations(refused: tuple[int, dict] | None) -> list[tuple[str, str]]:
    """Fields and descriptions of a refusal."""
    assert refused is not None
    return [(v["field"], v["description"]) for v in refused[1]["details"][1]["fieldViolations"]]
