# SPDX-License-Identifier: BSD-3-Clause
"""plait.acompute: computing while an event loop goes on."""

import asyncio
import operator
import threading

import pytest

from plait.asynchronous import acompute
from plait.delayed import delayed

add = delayed(operator.add)


def test_the_value_of_one():
    assert asyncio.run(acompute(add(1, 2))) == 3
    assert asyncio.run(acompute([add(1, 2), 4])) == [3, 4]


def test_a_tuple_for_several():
    assert asyncio.run(acompute(add(1, 2), add(3, 4))) == (3, 7)
    assert asyncio.run(acompute()) == ()


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
def test_schedulers(scheduler):
    task = add(1, 2)
    assert asyncio.run(acompute(task, scheduler=scheduler)) == 3


def test_a_scheduler_of_one_s_own():
    made = acompute(add(1, 2), scheduler=lambda dsk, keys: ["mine"])
    assert asyncio.run(made) == "mine"


def test_the_loop_goes_on_meanwhile():
    go_on = threading.Event()

    async def program():
        task = delayed(go_on.wait)(60)
        waiting = asyncio.create_task(acompute(task))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not waiting.done()
        go_on.set()
        return await waiting

    assert asyncio.run(program()) is True


def test_what_a_task_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        asyncio.run(acompute(delayed(operator.truediv)(1, 0)))


def test_cancelling_cancels_what_has_not_begun():
    begun, go_on, after = threading.Event(), threading.Event(), []

    def wait():
        begun.set()
        go_on.wait(60)

    def note(_):
        after.append(1)

    async def program():
        last = delayed(note)(delayed(wait)())
        waiting = asyncio.create_task(acompute(last))
        await asyncio.to_thread(begun.wait, 60)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go_on.set()

    asyncio.run(program())
    assert add(1, 2).compute() == 3  # the pool is as good as before
    assert after == []


def test_many_at_once():
    async def program():
        made = [acompute(add(n, n)) for n in range(20)]
        return await asyncio.gather(*made)

    assert asyncio.run(program()) == [2 * n for n in range(20)]


def test_a_delayed_that_is_awaited_stays_one():
    async def program():
        task = add(1, 2)
        return await task is task

    assert asyncio.run(program())
