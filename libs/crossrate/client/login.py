"""How a person logs in from a program: in the browser of the same machine, or with a code on any other device.

crossrate.client.login.by_browser(endpoint)      authorization code with PKCE, answered on a loopback address
crossrate.client.login.by_device(endpoint, show) a code to type at /device
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import secrets
import socket
import threading
import time
import webbrowser
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from crossrate.client.tokens import COMMAND_LINE, Endpoint, LoginNeeded

BROWSER_S_MAX = 300
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
DONE = b"<!doctype html><title>crossrate</title><p>Done. You can close this page."


class _Answer(http.server.BaseHTTPRequestHandler):
    """Takes one redirection of the browser."""

    server: _Loopback

    def do_GET(self) -> None:
        """The browser comes back."""
        parts = urlsplit(self.path)
        found = parse_qs(parts.query)
        wanted = parts.path == "/callback" and found.get("state") == [self.server.state]
        self.send_response(200 if wanted else 404)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("cache-control", "no-store")
        self.end_headers()
        if wanted:
            self.wfile.write(DONE)
            self.server.answer = {name: values[0] for name, values in found.items()}
            self.server.answered.set()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the line would have the code in it."""


class _Loopback(http.server.HTTPServer):
    """Listens on loopback for the browser's way back."""

    address_family = socket.AF_INET

    def __init__(self, state: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.state = state
        self.answer: dict[str, str] = {}
        self.answered = threading.Event()


def by_browser(
    endpoint: Endpoint,
    *,
    step_up: bool = False,
    open_page: Callable[[str], Any] = webbrowser.open,
    timeout_s: float = BROWSER_S_MAX,
) -> dict[str, Any]:
    """Logs in with the browser of this machine (RFC 8252) and returns the token endpoint's answer.

    Args:
        step_up: a second factor is to be proved now.
        open_page: is given the address to open.

    Raises:
        LoginNeeded: the person said no, or nothing within the time.
    """
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    with _Loopback(state) as listening:
        redirect_uri = f"http://127.0.0.1:{listening.server_port}/callback"
        query = {
            "response_type": "code",
            "client_id": COMMAND_LINE,
            "redirect_uri": redirect_uri,
            "scope": "openid profile offline_access",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if step_up:
            query["acr_values"] = "2"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            open_page(f"{endpoint.issuer}/oauth2/authorize?{urlencode(query)}")
            if not listening.answered.wait(timeout_s):
                raise LoginNeeded(f"nobody answered within {timeout_s:.0f} s")
        finally:
            listening.shutdown()
            thread.join()
        answer = listening.answer
    if answer.get("iss") != endpoint.issuer:
        raise LoginNeeded("another server answered: its answer is not taken")
    if "code" not in answer:
        raise LoginNeeded(f"not logged in: {answer.get('error', 'no code')}")
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": redirect_uri,
        "client_id": COMMAND_LINE,
        "code_verifier": verifier,
    }
    return endpoint.post("/oauth2/token", form)


def by_device(
    endpoint: Endpoint,
    show: Callable[[dict[str, Any]], None],
    *,
    step_up: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Logs in with a code that the person types on another device (RFC 8628); returns the token endpoint's answer.

    Args:
        show: is given verification_uri, verification_uri_complete, user_code, expires_in.
        step_up: a second factor is to be proved on the other device, now.

    Raises:
        LoginNeeded: the person said no, or nothing in time.
    """
    proof = {"acr_values": "2"} if step_up else {}
    asked = endpoint.post("/oauth2/device_authorization", {"client_id": COMMAND_LINE} | proof)
    if "device_code" not in asked:
        raise LoginNeeded(f"no code to be had: {asked.get('error_description', asked.get('error'))}")
    show(asked)
    interval_s, end_s = float(asked.get("interval", 5)), time.monotonic() + float(asked["expires_in"])
    while time.monotonic() < end_s:
        pause(interval_s)
        form = {"grant_type": DEVICE_GRANT, "device_code": asked["device_code"], "client_id": COMMAND_LINE}
        told = endpoint.post("/oauth2/token", form)
        if "access_token" in told:
            return told
        if told.get("error") == "slow_down":
            interval_s += 5
        elif told.get("error") != "authorization_pending":
            raise LoginNeeded(f"not logged in: {told.get('error_description') or told.get('error')}")
    raise LoginNeeded("nobody typed the code in time")
