"""Random numbers that are counted."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.kernel import ArgumentError, ShapeError, normal, path, random

# Random123 (D. E. Shaw Research), tests/kat_vectors of its repository at commit 9545ff64 (January 2022), the lines
# "philox4x32 10": counter, key, result; compared word for word.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
PLACE = {"seed": 0x9E3779B97F4A7C15, "stream": 7}


def of_hex(text: str) -> np.ndarray:
    """Words as Random123 prints them."""
    return np.array([int(word, 16) for word in text.split()], np.uint32)


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_the_generator_gives_the_published_words(build: str, counter: str, key: str, expected: str) -> None:
    """Random123's known answers for Philox4x32-10 come out."""
    assert np.array_equal(random.words(of_hex(counter)[None], of_hex(key))[0], of_hex(expected))


def test_a_uniform_is_made_of_the_words_of_its_path_and_step(build: str) -> None:
    """The counter is (path low, path high, step // 2, stream), the key the seed, and 52 bits make the number."""
    first = 5 * 2**32 + 250
    table = random.uniforms(20, 4, **PLACE, first_path=first, first_step=2)
    key = np.array([PLACE["seed"] & 0xFFFFFFFF, PLACE["seed"] >> 32], np.uint32)
    for step in (2, 4):
        counter = np.array([[250 + each, 5, step // 2, PLACE["stream"]] for each in range(20)], np.uint32)
        found = random.words(counter, key).astype(np.uint64)
        for odd in (0, 1):
            word = found[:, 2 * odd] << np.uint64(32) | found[:, 2 * odd + 1]
            exact = ((word >> np.uint64(12)).astype(np.float64) + 0.5) / 2.0**52
            assert np.array_equal(table[step - 2 + odd], exact)


@pytest.mark.parametrize("draw", [random.uniforms, random.normals])
def test_a_number_depends_on_its_place_alone(build: str, draw: type(random.normals)) -> None:
    """Any window, any thread count and any order of the parts give the same bits."""
    whole = draw(9000, 5, **PLACE)
    assert np.array_equal(whole, draw(9000, 5, **PLACE, threads=3))
    for first, paths, row, steps in ((0, 1, 0, 1), (255, 2, 1, 1), (256, 256, 1, 4), (8191, 809, 3, 2), (300, 1, 2, 3)):
        window = draw(paths, steps, **PLACE, first_path=first, first_step=row)
        assert np.array_equal(window, whole[row : row + steps, first : first + paths])


@given(
    first=st.integers(0, 2**48 - 300),
    row=st.integers(0, 2**32 - 5),
    seed=st.integers(0, 2**64 - 1),
    stream=st.integers(0, 2**32 - 1),
)
@settings(max_examples=25, deadline=None)
def test_all_builds_agree_wherever_one_looks(first: int, row: int, seed: int, stream: int) -> None:
    """Uniforms have the same bits on every build, normals are within 1e-15, and one rounding class has one result."""
    uniform, gaussian = {}, {}
    for name in path.paths():
        with path.using(name):
            where = {"seed": seed, "stream": stream, "first_path": first, "first_step": row}
            uniform[name] = random.uniforms(270, 3, **where)
            gaussian[name, path.rounding_class()] = random.normals(270, 3, **where)
    twin = gaussian["numpy", "numpy"]
    assert all(np.array_equal(each, uniform["numpy"]) for each in uniform.values())
    assert all(np.all(np.abs(each - twin) <= 1e-15 * np.abs(twin)) for each in gaussian.values())
    fma = [each for (_, rounding), each in gaussian.items() if rounding == "fma"]
    assert all(np.array_equal(each, fma[0]) for each in fma)


def test_normals_are_box_and_muller_to_the_last_places(build: str) -> None:
    """A normal is within 6e-16 of the exact transform of its two uniforms, relative to itself."""
    uniform = random.uniforms(150, 4, **PLACE)
    gaussian = random.normals(150, 4, **PLACE)
    worst = 0.0
    with mpmath.workdps(40):
        for pair in (0, 2):
            for each in range(150):
                radius = mpmath.sqrt(-2 * mpmath.log(mpmath.mpf(uniform[pair, each])))
                turns = 2 * mpmath.mpf(uniform[pair + 1, each])
                exact = radius * mpmath.cospi(turns), radius * mpmath.sinpi(turns)
                worst = max(worst, *(abs(float(gaussian[pair + odd, each] / exact[odd] - 1)) for odd in (0, 1)))
    assert worst <= 6e-16


def test_moments_and_independence(build: str) -> None:
    """Moments and products over steps, paths and streams are as those of independent normals."""
    count = 200_000
    table = random.normals(count, 4, seed=2024)
    error = 5 / np.sqrt(count)
    assert np.all(np.abs(table.mean(axis=1)) < error)
    assert np.all(np.abs((table**2).mean(axis=1) - 1) < error * np.sqrt(2))
    assert np.all(np.abs((table**3).mean(axis=1)) < error * np.sqrt(15))
    assert np.all(np.abs((table**4).mean(axis=1) - 3) < error * np.sqrt(96))
    other = random.normals(count, 4, seed=2024, stream=1)
    shifted = np.roll(table, 1, axis=1)
    for left, right in ((table[0], table[1]), (table[1], table[2]), (table[0], shifted[0]), (table[0], other[0])):
        assert abs(np.mean(left * right)) < error
        assert abs(np.mean(left**2 * right**2) - 1) < error * np.sqrt(8)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("paths", -1),
        ("steps", -1),
        ("paths", 2**48 + 1),
        ("seed", 2**64),
        ("seed", -1),
        ("stream", 2**32),
        ("first_path", 2**48),
        ("first_step", 2**32),
        ("seed", True),
    ],
)
def test_what_no_counter_holds_is_refused(build: str, argument: str, value: int) -> None:
    """A number out of range is named with its range, and nothing is computed."""
    with pytest.raises(ArgumentError, match=rf"^{argument} is {value}: it must be a whole number from 0"):
        random.normals(**{"paths": 3, "steps": 2, "seed": 1, argument: value})


def test_other_types_and_shapes_are_refused(build: str) -> None:
    """Half a path, float words and counters of another width are errors."""
    with pytest.raises(TypeError, match="paths is float"):
        random.normals(1.5, 2, seed=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="counter must be an array of uint32"):
        random.words(np.zeros((2, 4)), np.zeros(2, np.uint32))
    with pytest.raises(ShapeError, match=r"counter has shape \(2, 3\)"):
        random.words(np.zeros((2, 3), np.uint32), np.zeros(2, np.uint32))


def test_nothing_asked_for_is_nothing_given(build: str) -> None:
    """No paths or no steps give an empty table."""
    assert random.normals(0, 3, seed=1).shape == (3, 0)
    assert random.uniforms(3, 0, seed=1).shape == (0, 3)


def test_the_quantile_is_exact_to_the_last_places(build: str) -> None:
    """The inverse normal is within 1e-15, relative to itself, from 1e-300 to 1 - 2**-53 and around its seams."""
    seams = [0.075, 0.925, float(np.exp(-25.0)), 1 - float(np.exp(-25.0)), 1e-300, 1 - 2.0**-53, 0.5 + 2.0**-52]
    near = [np.nextafter(each, to) for each in seams[:4] for to in (0.0, 1.0)]
    p = np.concatenate([seams, near, 10.0 ** -np.arange(1.0, 300.0, 7.0), np.linspace(0.001, 0.999, 150)])
    found = normal.quantile(p)
    with mpmath.workdps(40):
        for probability, x in zip(p, found, strict=True):
            y = mpmath.mpf(float(x))
            miss = (mpmath.erfc(-y / mpmath.sqrt(2)) / 2 - mpmath.mpf(float(probability))) / mpmath.npdf(y)
            assert abs(miss) <= 1e-15 * abs(y) + mpmath.mpf(10) ** -30, probability


def test_the_quantile_has_no_value_at_the_ends(build: str) -> None:
    """0, 1 and NaN are refused by name."""
    for value in (0.0, 1.0, -0.1, np.nan):
        with pytest.raises(ArgumentError, match=r"probability\[1\] is .* inside of \(0, 1\)"):
            normal.quantile(np.array([0.5, value]))
    assert normal.quantile(0.5) == 0.0
