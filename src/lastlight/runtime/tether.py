"""Children that do not outlive their parent: the kernel signals them when it dies, even by kill -9."""

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def tethered(on_parent_death: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn` that makes the kernel send the child `on_parent_death` when this process ends.

    It runs after the change of user, because that clears the request. Start the child from the main thread: the kernel
    watches the thread that forked.
    """
    parent = os.getpid()

    def tether() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(on_parent_death), 0, 0, 0)
        if os.getppid() != parent:  # the parent died in between
            os.kill(os.getpid(), signal.SIGKILL)

    return tether
