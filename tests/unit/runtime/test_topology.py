"""The topology refuses what would not work."""

import pytest

from crossrate.runtime import topology
from crossrate.runtime.topology import FORGETFUL_MIB_MAX, Service, Stream, Topology, Variant

OWNER = {"alpha": Service(publishes=("crossrate.alpha.v1.>",))}


def stream(**settings: object) -> Topology:
    """A topology with one stream."""
    made = Stream(owner="alpha", subjects=("crossrate.alpha.v1.>",), **settings)
    return Topology(services=OWNER, streams={"alpha": made})


def test_the_project_s_own_topology_is_one() -> None:
    """It loads, and its streams belong to its services."""
    loaded = topology.load()
    assert {each.owner for each in loaded.streams.values()} <= set(loaded.services)


def test_a_stream_that_forgets_is_small() -> None:
    """A large one would cost the server milliseconds for every message; one that refuses may be of any size."""
    with pytest.raises(ValueError, match=r"streams\.alpha\.max_mib: .* has at most 32, not 33"):
        stream(forget_oldest=True, max_mib=FORGETFUL_MIB_MAX + 1)
    assert stream(forget_oldest=True, max_mib=FORGETFUL_MIB_MAX)
    assert stream(max_mib=1_024)


@pytest.mark.parametrize(
    ("paths", "problem"),
    [
        (("v3/",), "is no path"),
        (("/a/../b",), "is no path"),
        (("/",), "is no path"),
        (("/v1/",), "is answered by the contracts already"),
        (("/v1/quotes",), "is answered by the contracts already"),
        (("/openapi.json",), "is answered by the contracts already"),
        (("/v3/", "/v3/x"), r"is answered by alpha already \('/v3/'\)"),
        (("/v3", "/v3"), "is answered by alpha already"),
    ],
)
def test_a_path_of_the_edge_has_one_owner(paths: tuple[str, ...], problem: str) -> None:
    """A service may answer paths that neither the contracts nor another service answer."""
    with pytest.raises(ValueError, match=rf"services\.alpha\.http: .* {problem}"):
        Topology(services={"alpha": Service(http=paths)})


def test_services_may_answer_paths_side_by_side() -> None:
    """Paths that do not contain each other do not disturb each other."""
    beta = Service(http=("/oauth2/", "/.well-known/", "/login", "/login/"))
    assert Topology(services={"alpha": Service(http=("/v3/", "/login2")), "beta": beta})


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (("no-such-program",), "there is no program 'no-such-program' on the PATH"),
        (("services/nothing/serve",), "there is no file .*services/nothing/serve: name a program of the checkout"),
        (("mesh/topology.toml",), "may not be executed: chmod"),
    ],
)
def test_a_command_is_a_program(command: tuple[str, ...], problem: str) -> None:
    """What cannot be started is found when the topology is read, in a service and in a variant of it."""
    with pytest.raises(ValueError, match=rf"services\.alpha\.command: .*{problem}"):
        Topology(services={"alpha": Service(command=command)})
    with pytest.raises(ValueError, match=rf"services\.alpha\.variants\.go\.command: .*{problem}"):
        Topology(services={"alpha": Service(variants={"go": Variant(command=command)})})


def test_a_variant_is_a_backend_of_its_service() -> None:
    """It is named after the service, has as many instances as it says, and a name that is a word."""
    go = Variant(command=("sh", "-c", "exit"), instances=2)
    made = Topology(services={"alpha": Service(variants={"go": go}), "beta": Service(command=("sh",))})
    assert {name: each.instances for name, each in made.backends().items()} == {"alpha": 1, "alpha-go": 2, "beta": 1}
    with pytest.raises(ValueError, match=r"services\.alpha\.variants\.Go-2: a variant's name is one word"):
        Topology(services={"alpha": Service(variants={"Go-2": go})})
    with pytest.raises(ValueError, match=r"variants\.go: alpha answers paths of its own"):
        Topology(services={"alpha": Service(variants={"go": go}, http=("/a/",))})
    with pytest.raises(ValueError, match=r"services\.control: control is the program of this checkout"):
        Topology(services={"control": Service(variants={"go": go})})
    with pytest.raises(ValueError, match="at least 1 item"):
        Variant(command=())
