"""Headers of every answer: what a browser may do with it, which is little."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders

HSTS = "max-age=63072000; includeSubDomains"
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def policy(form_action: str = "") -> str:
    """The content security policy: our own style and script, no inline ones, no frames.

    Args:
        form_action: an origin beside our own that a form may lead to by a redirection, which browsers count.
    """
    forms = f"'self' {form_action}".strip()
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        f"form-action {forms}; frame-ancestors 'none'; base-uri 'none'"
    )


class SecurityHeaders:
    """ASGI middleware. Strict transport is not asked for of a browser's own machine: it would hold for every other
    program that listens there."""

    def __init__(self, app: Any, issuer: str) -> None:
        self._app = app
        self._hsts = HSTS if urlsplit(issuer).hostname not in LOCAL_NAMES else ""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Adds the headers that the answer does not have."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
                headers.setdefault("content-security-policy", policy())
                headers.setdefault("cache-control", "no-store")
                if self._hsts:
                    headers.setdefault("strict-transport-security", self._hsts)
            await send(message)

        await self._app(scope, receive, sending)
