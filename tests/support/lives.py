"""A process that lives again: when its child dies, the next is forked, with everything imported already.

That takes a few hundredths of a second, where a new start takes seconds.
"""

import os
import signal
from collections.abc import Callable
from typing import NoReturn

from lastlight.runtime.tether import tethered


def live_again(
    live: Callable[[], object],
    *,
    begun: Callable[[int], object] = lambda _: None,
    died: Callable[[], object] = lambda: None,
) -> NoReturn:
    """Keep one child alive until told to stop; `begun` is told its process id, `died` is called when it is gone."""
    child, tether = 0, tethered(signal.SIGKILL)

    def stop(*_: object) -> None:
        if child:
            os.kill(child, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    while True:
        child = os.fork()
        if child == 0:
            tether()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            live()
            os._exit(0)
        begun(child)
        os.waitpid(child, 0)
        died()
