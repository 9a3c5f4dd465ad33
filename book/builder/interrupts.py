"""Ctrl-C and SIGTERM end the build at a place of its own choosing.

A signal handler that raises may do so anywhere, also between taking a lock and remembering to release it
(`subprocess` has such a place); tidying up then waits for that lock for ever. So the handlers only take note,
and the loops that wait for something look.
"""

import signal

_received: list[int] = []


class Interrupted(Exception):
    """Somebody asked the build to stop; ``number`` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def listen() -> None:
    """From now on take note of Ctrl-C and SIGTERM instead of ending at once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, frame: _received.append(received))


def check() -> None:
    """End the build here if it was asked to.

    Raises:
        Interrupted: after a signal.
    """
    if _received:
        raise Interrupted(_received[0])
