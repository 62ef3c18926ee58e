"""The kernel's two statements of what a confidence, a delta and a covariance may be are one."""

from __future__ import annotations

import re
from pathlib import Path

from crossrate.kernel import parametric
from crossrate.kernel.domain import CONFIDENCE

SOURCES = Path(__file__).resolve().parents[3] / "libs" / "kernel" / "src"


def defined(source: str, name: str) -> float:
    """The number that a C source gives a name."""
    return float(re.search(rf"#define {name} (\S+)", (SOURCES / source).read_text())[1])


def test_python_and_c_have_the_same_limits() -> None:
    """What Python says in an error is what C checks."""
    assert (CONFIDENCE.low, CONFIDENCE.high) == (
        defined("checks.h", "XR_CONFIDENCE_MIN"),
        defined("checks.h", "XR_CONFIDENCE_MAX"),
    )
    assert parametric.SENSITIVITY.high == defined("covariance.h", "XR_SENSITIVITY_MAX")
    assert parametric.SKEWNESS.high == defined("parametric.c", "SKEWNESS_MAX")
    assert parametric.KURTOSIS.low == defined("parametric.c", "KURTOSIS_MIN")
    assert parametric.KURTOSIS.high == defined("parametric.c", "KURTOSIS_MAX")
