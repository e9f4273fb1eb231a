"""Requests that share a transaction: nobody is answered too early, nobody waits for ever, and nobody is forgotten."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore

import pytest

from reminders.webhooks.together import Together


class Desk:
    """Writes down its batches; the first one takes until it is told to end."""

    def __init__(self, *, fails: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.may_end = Event(), Event()
        self._fails = fails

    def act(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        if len(self.batches) == 1:
            self.begun.set()
            assert self.may_end.wait(30)
            if self._fails:
                raise OSError("the first batch fails")
        return [-item for item in items]


def wait_until_all_stand_in_line(together: Together[int, int], how_many: int) -> None:
    for _ in range(3000):
        if len(together._waiting) == how_many:
            return
        Event().wait(0.01)
    raise AssertionError("they never came")


def test_who_comes_alone_is_served_alone() -> None:
    together: Together[int, int] = Together(lambda items: [item * 2 for item in items], most=10)

    assert [together.do(4), together.do(5)] == [8, 10]


@pytest.mark.parametrize(("most", "sizes"), [(10, [1, 7]), (3, [1, 3, 3, 1])])
def test_who_comes_while_one_acts_shares_the_next_batch_in_the_order_they_came(most: int, sizes: list[int]) -> None:
    desk = Desk()
    together = Together(desk.act, most=most)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(together.do, 100)
        assert desk.begun.wait(30)
        others = []
        for number in range(7):
            others.append(pool.submit(together.do, number))
            wait_until_all_stand_in_line(together, number + 1)
        assert not any(one.done() for one in [first, *others])
        desk.may_end.set()
        outcomes = [one.result(timeout=30) for one in [first, *others]]

    assert outcomes == [-100, *(-number for number in range(7))]
    assert [len(batch) for batch in desk.batches] == sizes
    assert [item for batch in desk.batches for item in batch] == [100, *range(7)]


def test_what_breaks_is_raised_in_every_caller_of_its_batch_and_the_next_batch_goes_on() -> None:
    desk = Desk(fails=True)
    together = Together(desk.act, most=10)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(together.do, 1)
        assert desk.begun.wait(30)
        second = pool.submit(together.do, 2)
        wait_until_all_stand_in_line(together, 1)
        desk.may_end.set()

        assert isinstance(first.exception(timeout=30), OSError)
        assert second.result(timeout=30) == -2
    assert together.do(3) == -3


def test_a_wrong_count_of_outcomes_is_an_error_and_leaves_nobody_waiting() -> None:
    together: Together[int, int] = Together(lambda _: [], most=10)

    for item in (1, 2):
        with pytest.raises(ValueError, match="shorter"):
            together.do(item)


def test_a_crowd_is_served_whole() -> None:
    batches: list[int] = []
    within = Semaphore(1)

    def act(items: Sequence[int]) -> list[int]:
        assert within.acquire(blocking=False), "two batches at once"
        batches.append(len(items))
        within.release()
        return list(items)

    together = Together(act, most=7)
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(together.do, range(400), timeout=60))

    assert outcomes == list(range(400))
    assert sum(batches) == 400
    assert max(batches) <= 7
