"""Ends a conversion that does not end by itself: some markdown and code takes the libraries that read it for ever."""

import signal
import threading
import time
from contextlib import contextmanager

SECONDS = 60  # of computing, for one document; the longest in the series takes about one
AGAIN = 1  # and every second after that, should a library swallow the exception


@contextmanager
def at_most(seconds: float):
    """Raises TimeoutError in the block once the process has computed for so long in it; an outer such block goes on.

    It counts computing, so that a busy machine harms no document. Where there is no such clock, on Windows and outside
    of the main thread, nothing is counted.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number, frame):
        raise TimeoutError(f"{seconds:g} s")

    before, began = signal.signal(signal.SIGVTALRM, stop), time.process_time()
    left, _ = signal.setitimer(signal.ITIMER_VIRTUAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_VIRTUAL, max(0.01, left - (time.process_time() - began)), AGAIN)
