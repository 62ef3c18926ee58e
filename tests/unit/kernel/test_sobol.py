"""Sobol sequences and Brownian bridges."""

from __future__ import annotations

import math
import tomllib

import numpy as np
import pytest
from scipy.stats import qmc

from crossrate.kernel import ArgumentError, Reason, ShapeError, normal, path, random, sobol, vanilla
from tests.kernel_build import ROOT

TIMES = np.array([0.1, 0.3, 0.35, 1.0, 2.0, 2.5, 7.0])


def test_points_are_those_of_joe_and_kuo(build: str) -> None:
    """All 1,024 dimensions give scipy's sequence, half a cell of 2**-52 higher."""
    expected = qmc.Sobol(1024, scramble=False, bits=52).random(512).T
    assert np.array_equal(sobol.points(512, 1024) - 2.0**-53, expected)


def test_the_tables_licence_goes_where_the_table_goes() -> None:
    """The notice in the table's head is one of the project's licence files, so that a wheel has it as BSD demands."""
    head = [line[1:].strip() for line in sobol.TABLE.read_text().splitlines() if line.startswith("#")]
    notice = sobol.TABLE.with_name("LICENSE.joe_kuo")
    assert " ".join(" ".join(head).split()).endswith(" ".join(notice.read_text().split()))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert notice.relative_to(ROOT).as_posix() in project["license-files"]
    assert "BSD-3-Clause" in project["license"]


def test_points_far_out_are_those_of_joe_and_kuo(build: str) -> None:
    """From point 2**20 - 300 on scipy's sequence comes out, and its last ones are sums of directions by Gray code."""
    engine = qmc.Sobol(8, scramble=False, bits=32)  # its fast_forward knows no more bits
    engine.fast_forward(2**20 - 300)
    assert np.array_equal(sobol.points(600, 8, first_point=2**20 - 300) - 2.0**-53, engine.random(600).T)
    first = 2**32 - 300
    found = sobol.points(300, 3, first_point=first)
    for point in (0, 43, 44, 45, 299):
        gray = (first + point) ^ (first + point) >> 1
        for dimension in range(3):
            chosen = [int(v) for bit, v in enumerate(sobol.directions()[dimension]) if gray >> bit & 1]
            word = int(np.bitwise_xor.reduce(np.array(chosen, np.uint64)))
            assert found[dimension, point] == word / 2**64 + 2.0**-53


def test_a_coordinate_depends_on_its_place_alone(build: str) -> None:
    """Any window and any number of threads give the same bits, scrambled or not, uniform or normal."""
    for draw in (sobol.points, sobol.normals):
        for scramble in sobol.SCRAMBLES:
            whole = draw(9000, 5, scramble=scramble, seed=4)
            assert np.array_equal(whole, draw(9000, 5, scramble=scramble, seed=4, threads=3))
            for first, count, rows in ((0, 1, 1), (255, 258, 5), (8999, 1, 3)):
                window = draw(count, rows, scramble=scramble, seed=4, first_point=first)
                assert np.array_equal(window, whole[:rows, first : first + count])


def test_normals_are_quantiles_and_builds_agree() -> None:
    """Points have the same bits on every build; normals are the quantiles of the points, within 1e-15 of the twin's."""
    uniform, gaussian = {}, {}
    for name in path.paths():
        with path.using(name):
            uniform[name] = sobol.points(600, 40, scramble="matrix", seed=7)
            gaussian[name] = sobol.normals(600, 40, scramble="matrix", seed=7)
            assert np.array_equal(gaussian[name], normal.quantile(uniform[name]))
    assert all(np.array_equal(each, uniform["numpy"]) for each in uniform.values())
    twin = gaussian["numpy"]
    assert all(np.all(np.abs(each - twin) <= 1e-15 * np.maximum(np.abs(twin), 1e-3)) for each in gaussian.values())
    if "avx512" in gaussian:
        assert np.array_equal(gaussian["avx2"], gaussian["avx512"])


@pytest.mark.parametrize("scramble", sobol.SCRAMBLES)
def test_every_interval_has_its_point(build: str, scramble: str) -> None:
    """256 points have one in each of 256 intervals of any dimension, and dimensions 1 and 2 are a (0, 2)-net."""
    found = sobol.points(256, 200, scramble=scramble, seed=12)
    cells = np.sort((found * 256).astype(int), axis=1)
    assert np.array_equal(cells, np.broadcast_to(np.arange(256), cells.shape))
    for bits in range(9):
        boxes = (found[0] * 2**bits).astype(int) * 2 ** (8 - bits) + (found[1] * 2 ** (8 - bits)).astype(int)
        assert np.array_equal(np.sort(boxes), np.arange(256))


@pytest.mark.parametrize("scramble", ["shift", "matrix"])
def test_seeds_and_dimensions_scramble_differently(build: str, scramble: str) -> None:
    """Over seeds a point is uniform, and its coordinates are uncorrelated."""
    first = np.stack([sobol.points(2, 2, scramble=scramble, seed=seed) for seed in range(400)])
    assert np.all(np.abs(first.mean(axis=0) - 0.5) <= 4.5 * math.sqrt(1 / 12 / 400))
    assert np.all(np.abs(first.var(axis=0) - 1 / 12) <= 4.5 * math.sqrt(1 / 180 / 400))
    assert abs(np.corrcoef(first[:, 0, 0], first[:, 1, 0])[0, 1]) <= 4.5 / math.sqrt(400)


def test_a_bridge_is_a_brownian_motion(build: str) -> None:
    """Its covariance is min(s, t), its first normal decides the end alone, and threads change no bit."""
    loads = sobol.bridge(np.eye(7), TIMES)
    assert np.max(np.abs(loads @ loads.T - np.minimum.outer(TIMES, TIMES))) <= 1e-14
    assert np.allclose(loads[-1], np.eye(7)[0] * math.sqrt(7.0), rtol=1e-15)
    draws = random.normals(9000, 7, seed=1)
    whole = sobol.bridge(draws, TIMES)
    assert np.array_equal(whole, sobol.bridge(draws, TIMES, threads=3))
    assert np.array_equal(whole[:, 300:333], sobol.bridge(draws[:, 300:333], TIMES))
    assert np.max(np.abs(whole - loads @ draws)) <= 1e-13
    assert np.max(np.abs(sobol.bridge([[2.0]], [0.25]) - 1.0)) == 0.0


def test_builds_agree_on_bridges() -> None:
    """All builds are within 1e-15 times the deviation at the last time."""
    draws = random.normals(300, 7, seed=1)
    found = {}
    for name in path.paths():
        with path.using(name):
            found[name] = sobol.bridge(draws, TIMES)
    assert all(np.max(np.abs(each - found["numpy"])) <= 1e-15 * 8 for each in found.values())


def test_it_converges_faster_than_random_numbers(build: str) -> None:
    """Over 16 scramblings a call on an average of eight fixings has a twentieth of the variance of random paths."""
    times = np.arange(1, 9) / 8

    def price(motion: np.ndarray) -> float:
        levels = 1.1 * np.exp(-0.5 * 0.04 * times[:, None] + 0.2 * motion)
        return float(np.maximum(levels.mean(axis=0) - 1.1, 0.0).mean())

    quasi = [price(sobol.bridge(sobol.normals(1024, 8, seed=seed), times)) for seed in range(16)]
    plain = [price(sobol.bridge(random.normals(1024, 8, seed=seed), times)) for seed in range(16)]
    assert np.var(quasi) <= np.var(plain) / 20
    assert abs(np.mean(quasi) - np.mean(plain)) <= 5 * np.std(plain) / 4


def test_a_vanilla_option_is_priced_closely(build: str) -> None:
    """With 2**14 points a call is within 1e-5 of its price; as many random numbers have an error of 6e-4."""
    last = sobol.bridge(sobol.normals(2**14, 4, seed=3), [0.25, 0.5, 0.75, 1.0])[-1]
    price = np.maximum(1.1 * np.exp(-0.5 * 0.01 + 0.1 * last) - 1.1, 0.0).mean()
    assert abs(price - float(vanilla.price(1, 1.1, 1.1, 1.0, 0.1, 0.0, 0.0))) <= 1e-5


@pytest.mark.parametrize(
    ("change", "says", "reason"),
    [
        ({"dimensions": 1025}, "dimensions is 1025", Reason.OUT_OF_RANGE),
        ({"dimensions": 0}, "dimensions is 0", Reason.OUT_OF_RANGE),
        ({"count": 2**32 + 1}, "count is 4294967297", Reason.OUT_OF_RANGE),
        ({"first_point": 2**32}, "first_point is", Reason.OUT_OF_RANGE),
        ({"scramble": "owen"}, "scramble is 'owen': it must be one of none, shift, matrix", Reason.NOT_A_CODE),
        ({"seed": -1}, "seed is -1", Reason.OUT_OF_RANGE),
    ],
)
def test_bad_input_is_named(build: str, change: dict, says: str, reason: Reason) -> None:
    """The error names the argument and its range."""
    with pytest.raises(ArgumentError, match=says) as caught:
        sobol.points(**{"count": 4, "dimensions": 2, **change})
    assert caught.value.reason == reason


def test_a_bridge_has_a_row_for_each_time(build: str) -> None:
    """Too few rows, NaN and times that do not ascend are refused by name."""
    with pytest.raises(ShapeError, match=r"normals has shape \(6, 2\): 7 rows"):
        sobol.bridge(np.zeros((6, 2)), TIMES)
    with pytest.raises(ArgumentError, match=r"normals\[1, 0\] is nan"):
        sobol.bridge([[0.0], [np.nan]], [1.0, 2.0])
    with pytest.raises(ArgumentError, match=r"times\[1\] is 1.0"):
        sobol.bridge(np.zeros((2, 2)), [1.0, 1.0])
