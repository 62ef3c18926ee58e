"""How long a venue takes to answer, as its holder measures it."""

from __future__ import annotations

from services.broker.engine.session import ASKED_MAX, LATENCIES_MAX, Standing


def test_the_first_answer_to_a_new_order_is_measured() -> None:
    """Later words about it, and answers to what was never sent from here, are not."""
    standing = Standing()
    assert (standing.latency_us, standing.latency_p99_us) == (0, 0)
    standing.asked("a", 1_000_000)
    standing.answered("b", 2_000_000)
    standing.answered("a", 3_000_000)
    standing.answered("a", 9_000_000)
    assert (standing.latency_us, standing.latency_p99_us) == (2000, 2000)


def test_the_mean_follows_slowly_and_the_tail_is_the_tail() -> None:
    """A tenth of each new latency counts; of a hundred the 99th is told, of three the largest."""
    standing = Standing()
    for number, latency_ns in enumerate([1_000_000, 2_000_000, 501_000_000]):
        standing.asked(str(number), 0)
        standing.answered(str(number), latency_ns)
    assert standing.latency_us == round(1100 + 0.1 * (501_000 - 1100))
    assert standing.latency_p99_us == 501_000
    for number in range(97):
        standing.asked(str(number), 0)
        standing.answered(str(number), 3_000_000)
    assert standing.latency_p99_us == 3000


def test_it_keeps_the_newest_alone() -> None:
    """Orders that nobody answers are forgotten, and so are old latencies."""
    standing = Standing()
    for number in range(ASKED_MAX + 1):
        standing.asked(str(number), 0)
    standing.answered("0", 5_000_000)
    assert standing.latency_us == 0
    for number in range(1, LATENCIES_MAX + 2):
        standing.answered(str(number), 500_000_000 if number == 1 else 1000)
    assert standing.latency_p99_us == 1
