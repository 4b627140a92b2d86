# SPDX-License-Identifier: BSD-3-Clause
"""plait.acompute: computing while an event loop goes on."""

import asyncio
import contextvars
import operator
import threading
import time

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


def loop():
    """Can be interrupted."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.001)


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
def test_cancelling_interrupts_what_runs(scheduler):
    begun, ended = threading.Event(), threading.Event()

    def task():
        begun.set()
        try:
            loop()
        finally:
            ended.set()

    async def program():
        made = acompute(delayed(task)(), scheduler=scheduler)
        waiting = asyncio.create_task(made)
        await asyncio.to_thread(begun.wait, 60)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return await asyncio.to_thread(ended.wait, 30)

    assert asyncio.run(program())


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
def test_sync_runs_one_task_at_a_time(scheduler):
    names = []

    def task(_):
        names.append(threading.current_thread().name)
        time.sleep(0.001)

    made = acompute(*map(delayed(task), range(20)), scheduler=scheduler)
    asyncio.run(made)
    assert len(names) == 20
    assert scheduler == "threads" or len(set(names)) == 1


def test_asyncio_s_timeouts_cancel():
    async def program():
        async with asyncio.timeout(0.05):
            await acompute(delayed(loop)())

    with pytest.raises(TimeoutError):
        asyncio.run(program())


def test_the_time_of_a_run_is_up_though_a_task_goes_on():
    """As with compute: it doesn't wait for a task that can't be told."""
    go_on = threading.Event()

    async def program():
        await acompute(delayed(go_on.wait)(60), run_timeout=0.05)

    with pytest.raises(TimeoutError, match="run_timeout"):
        asyncio.run(program())
    go_on.set()


def test_loops_in_several_threads():
    sums = []

    async def program():
        made = [acompute(add(n, n)) for n in range(20)]
        return await asyncio.gather(*made)

    threads = [threading.Thread(
        target=lambda: sums.append(sum(asyncio.run(program()))))
        for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sums == [380] * 4


def test_tasks_see_the_context_of_who_awaits():
    number = contextvars.ContextVar("number", default=0)

    async def one(n):
        number.set(n)
        await asyncio.sleep(0)
        return await acompute(delayed(lambda: number.get())())

    async def program():
        return await asyncio.gather(*map(one, range(5)))

    assert asyncio.run(program()) == list(range(5))


def test_a_loop_may_close_before_the_run_ends():
    go_on, ended = threading.Event(), threading.Event()

    def task():
        go_on.wait(60)
        ended.set()

    made = asyncio.new_event_loop()
    waiting = made.create_task(acompute(delayed(task)()))
    made.run_until_complete(asyncio.sleep(0.01))
    made.close()
    go_on.set()
    assert ended.wait(30)
    assert add(1, 2).compute() == 3
    waiting.get_coro().close()
    waiting._log_destroy_pending = False


def test_a_failure_in_a_task_group_cancels_the_others():
    async def program():
        async with asyncio.TaskGroup() as group:
            group.create_task(acompute(delayed(loop)()))
            group.create_task(acompute(delayed(operator.truediv)(1, 0)))

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(program())
    assert [type(one) for one in raised.value.exceptions] == [
        ZeroDivisionError]
