"""Ctrl-C and SIGTERM end the build at a place of its own choosing.

A signal handler that raises may do so anywhere, also between taking a lock and remembering to release it
(`subprocess` has such a place); tidying up then waits for that lock for ever. So the handlers only take note,
and the loops that wait for something look.
"""

import signal
import time

_received: list[int] = []
_deadlines: list[float] = []


class Interrupted(Exception):
    """Somebody asked the build to stop; ``number`` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class OutOfTime(Exception):
    """The time that was given is over."""


def listen() -> None:
    """From now on take note of Ctrl-C and SIGTERM instead of ending at once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, frame: _received.append(received))


def stop_after(seconds: float) -> None:
    """From now on there is so much time."""
    _deadlines[:] = [time.monotonic() + seconds]


def seconds_left() -> float:
    """Until the time is over; infinite where nobody set a limit."""
    return _deadlines[0] - time.monotonic() if _deadlines else float("inf")


def check() -> None:
    """End the build here if it was asked to.

    Raises:
        Interrupted: after a signal.
        OutOfTime: when the time is over.
    """
    if _received:
        raise Interrupted(_received[0])
    if seconds_left() <= 0:
        raise OutOfTime
