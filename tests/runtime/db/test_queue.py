"""The queue for connections: who matters most goes first, and a place is never lost."""

import asyncio

import pytest

from lastlight.runtime.db.queue import Queue


async def stand(queue: Queue, name: str, importance: int, order: list[str]) -> None:
    await queue.enter(importance, 5)
    order.append(name)
    queue.leave()


async def test_who_has_come_far_goes_first_and_equals_in_their_order() -> None:
    queue, order = Queue(1), list[str]()
    await queue.enter(0, 1)
    line = [("new", 0), ("newer", 0), ("far", 2), ("probe", 1_000_000), ("near", 1)]
    tasks = [asyncio.create_task(stand(queue, name, importance, order)) for name, importance in line]
    await asyncio.sleep(0)
    assert queue.waiting == len(line)
    queue.leave()
    await asyncio.gather(*tasks)
    assert order == ["probe", "far", "near", "new", "newer"]
    assert queue.waiting == 0


async def test_who_gives_up_leaves_no_place_behind() -> None:
    queue = Queue(2)
    await queue.enter(0, 1)
    await queue.enter(0, 1)
    with pytest.raises(TimeoutError):
        await queue.enter(0, 0.01)
    tasks = [asyncio.create_task(queue.enter(0, 5)) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    queue.leave()
    tasks[1].cancel()  # the place was its own a moment ago
    queue.leave()
    await asyncio.wait(tasks, timeout=1)
    assert tasks[2].done()
    assert not tasks[2].cancelled()
    queue.leave()
    for _ in range(2):
        await queue.enter(0, 0.05)
    with pytest.raises(TimeoutError):
        await queue.enter(0, 0.01)
