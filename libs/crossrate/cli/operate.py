"""`certs`, `config` and `routes --live`: the control plane, asked as the local operator."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from google.protobuf import struct_pb2

from crossrate.api.control.v1 import control_service_pb2 as pb
from crossrate.api.control.v1.control_service_pb2_grpc import ControlServiceStub
from crossrate.cli import reach, show
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError

T = TypeVar("T")

SCOPES = {
    "workloads": pb.ROTATION_SCOPE_WORKLOADS,
    "root-begin": pb.ROTATION_SCOPE_ROOT_BEGIN,
    "root-finish": pb.ROTATION_SCOPE_ROOT_FINISH,
}


def ask(question: Callable[[ControlServiceStub], Awaitable[T]]) -> T:
    """Asks control one thing."""
    return reach.ask(ControlServiceStub, question)


def certificates(answer: Any) -> list[dict[str, Any]]:
    """Certificates as data, with their age and what is left of them in seconds."""
    now = time.time()
    return [
        as_dict(c) | {"ageS": round(now - c.not_before.ToSeconds()), "leftS": round(c.not_after.ToSeconds() - now)}
        for c in answer
    ]


def _show_certificates(every: list[dict[str, Any]]) -> None:
    show.table(
        ("identity", "serial", "issuer", "age ", "left "),
        [
            (
                c["identity"],
                c["serial"][:16],
                c["issuer"],
                show.seconds(c["ageS"]),
                show.mark(show.seconds(max(0, c["leftS"])), c["leftS"] > 0),
            )
            for c in every
        ],
    )


def certs(*, as_json: bool) -> None:
    """The certificates in use, and the roots."""
    answer = ask(lambda stub: stub.ListCertificates(pb.ListCertificatesRequest()))
    in_use, roots = certificates(answer.certificates), certificates(answer.roots)
    if as_json:
        show.document({"certificates": in_use, "roots": roots})
        return
    _show_certificates(in_use)
    show.console().print("roots")
    _show_certificates(roots)


def rotate(scope: str, *, as_json: bool, dry_run: bool) -> None:
    """New certificates for every identity, or the beginning or end of a new root."""
    request = pb.RotateCertificatesRequest(request_id=str(uuid.uuid4()), scope=SCOPES[scope], validate_only=dry_run)
    answer = ask(lambda stub: stub.RotateCertificates(request))
    if as_json:
        in_use = certificates(answer.certificates)
        show.document({"certificates": in_use, "snapshotVersion": answer.snapshot_version, "validateOnly": dry_run})
        return
    _show_certificates(certificates(answer.certificates))
    if dry_run:
        show.note("nothing was changed")
    else:
        show.console().print(f"every proxy has taken them with snapshot {answer.snapshot_version}")


def live_routes(*, as_json: bool) -> None:
    """The GRPCRoutes in force."""
    answer = ask(lambda stub: stub.ListRoutes(pb.ListRoutesRequest()))
    if as_json:
        show.document([as_dict(route) for route in answer.routes])
        return
    rows = []
    for route in answer.routes:
        spec = as_dict(route)["grpcRoute"].get("spec", {})
        backends = [b for rule in spec.get("rules", ()) for b in rule.get("backendRefs", ())]
        words = ", ".join(f"{b.get('name')} weight {b.get('weight', 1):g}" for b in backends)
        rows.append((route.service, words, "rendered from the topology" if route.rendered else "applied"))
    show.table(("service", "backends", "from"), rows)


def _versions(versions: list[dict[str, Any]], *, as_json: bool, many: bool) -> None:
    if as_json:
        show.document(versions if many else versions[0])
        return
    for version in versions:
        when = version.get("createTime", "")[:19].replace("T", " ")
        who = " ".join(filter(None, [version["author"], when, version["comment"] and f"“{version['comment']}”"]))
        head = f"{version['service']} version {version['version']}"
        show.console().print(f"[bold]{head}[/] {who or 'as the program came'}")
        show.console().print_json(data=version.get("values", {}))


def get_config(service: str, *, as_json: bool) -> None:
    """The configuration in force."""
    answer = ask(lambda stub: stub.GetConfig(pb.GetConfigRequest(service=service)))
    _versions([as_dict(answer.config)], as_json=as_json, many=False)


def config_history(service: str, *, as_json: bool) -> None:
    """Every version, newest first."""
    answer = ask(lambda stub: stub.ListConfigVersions(pb.ListConfigVersionsRequest(service=service)))
    _versions([as_dict(v) for v in answer.versions], as_json=as_json, many=True)


def assignments(pairs: list[str]) -> dict[str, Any]:
    """Values from `name=value` arguments. A value is JSON, or else text; dots in a name reach into objects.

    Raises:
        CommandError: an argument is not name=value.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise CommandError(f"{pair!r} is not name=value", "e.g. crossrate config set marketdata rate_hz=20")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        *path, last = name.split(".")
        into = values
        for step in path:
            into = into.setdefault(step, {})
            if not isinstance(into, dict):
                raise CommandError(f"{name}: {step} is given both as a value and as an object")
        into[last] = value
    return values


def set_config(
    service: str, pairs: list[str], *, comment: str, expected_version: int, dry_run: bool, as_json: bool
) -> None:
    """Changes values; a running instance checks the whole first."""
    values = struct_pb2.Struct()
    values.update(assignments(pairs))
    request = pb.SetConfigRequest(
        request_id=str(uuid.uuid4()),
        service=service,
        values=values,
        comment=comment,
        expected_version=expected_version,
        validate_only=dry_run,
    )
    _changed(request, as_json=as_json)


def rollback(service: str, version: int, *, comment: str, dry_run: bool, as_json: bool) -> None:
    """Puts an older version's values back, as a new version."""
    request = pb.SetConfigRequest(
        request_id=str(uuid.uuid4()),
        service=service,
        rollback_to_version=version,
        comment=comment or f"back to version {version}",
        validate_only=dry_run,
    )
    _changed(request, as_json=as_json)


def _changed(request: pb.SetConfigRequest, *, as_json: bool) -> None:
    answer = ask(lambda stub: stub.SetConfig(request))
    _versions([as_dict(answer.config)], as_json=as_json, many=False)
    if request.validate_only:
        show.note("nothing was changed")
