"""Random numbers of a venue."""

from __future__ import annotations

from statistics import mean

import numpy as np
import pytest

from crossrate.exchange.chance import Chance, Purpose, philox
from crossrate.kernel import random as counted


def test_chances_are_the_kernel_s_generator() -> None:
    """The words are those of Philox4x32-10 as the kernel has it, uniforms lie within (0, 1)."""
    generator = np.random.default_rng(2)
    counter = generator.integers(0, 1 << 32, (20, 4), np.uint32)
    key = np.array([0xA4093822, 0x299F31D0], np.uint32)
    words = counted.words(counter, key)
    assert [philox(tuple(row), (int(key[0]), int(key[1]))) for row in counter.tolist()] == [
        tuple(r) for r in words.tolist()
    ]
    numbers = [Chance(3).uniform(Purpose.REJECT, name) for name in range(5000)]
    assert 0.0 < min(numbers) < max(numbers) < 1.0
    assert mean(numbers) == pytest.approx(0.5, abs=0.02)
    with pytest.raises(ValueError, match="seed"):
        Chance(-1)
