"""A queue for a number of places in which the importance of a caller counts before the time of coming."""

import asyncio
import heapq


class Queue:
    """So many places; who finds none waits for one, the most important first and among equals who came first."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._line: list[tuple[int, int, asyncio.Future[None]]] = []
        self._came = 0
        self.waiting = 0
        """Callers who wait for a place."""

    async def enter(self, importance: int, seconds: float) -> None:
        """Take a place; raises TimeoutError when none comes free in time."""
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._came += 1
        heapq.heappush(self._line, (-importance, self._came, turn))
        self.waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self.leave()  # the place came at the moment of leaving
            raise
        finally:
            self.waiting -= 1

    def leave(self) -> None:
        """Give a place back: to the next in the line, else to whoever comes."""
        while self._line:
            _, _, turn = heapq.heappop(self._line)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
