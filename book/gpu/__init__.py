"""Runs a profile on a machine that has Python and torch but no network, in bounded steps that go on.

On a machine with a network, once::

    make wheels WHEELS=_wheels          # what the chapters need beside torch, from requirements.lock

On the other machine, from the checkout with that folder in it, until it says that all is done::

    python3 -m book.gpu --wheels _wheels --profile gpu --seeds 5 --budget 540 --state STATE

Each call stops within its budget, says what is left and ends with the code 75. What it has made lies in the
checkout and, packed into files of at most 15 MB, in STATE; from there the next call goes on, in a fresh
checkout, too. The last call writes ``tests/expected/gpu.json`` with its figures and ends with 0. With STATE
brought back, ``python -m book.gpu --state STATE --bring-back`` puts that file in its place here.
"""
