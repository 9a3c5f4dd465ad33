"""The command line: ``python -m gem_lite COMMAND``, with one file for each command.

Every command may be interrupted, and goes on where it was when it is given again.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from gem_lite.cli import download, evaluate, extract, index, query, train

COMMANDS = (evaluate, extract, index, query, train, download)
DESCRIPTION = """\
Image retrieval with GeM: describe pictures, search them, measure a network on a benchmark, train one.

A first try, with a folder of your own pictures and an ImageNet network:

  python -m gem_lite index   holiday/ --out holiday.index --network resnet50
  python -m gem_lite query   holiday.index some-picture.jpg --picture answers.jpg

and a benchmark, with one of the networks that the paper's authors released:

  python -m gem_lite evaluate --dataset roxford5k --network retrievalSfM120k-resnet101-gem \\
      --scales multi --whitening stored

Each command explains itself: python -m gem_lite evaluate --help. What was interrupted goes on when the same
command is given again.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; what is wrong with its arguments or files is said without a traceback.

    Returns:
        0, or 1 after an error, or 130 after an interruption, as shells expect it.
    """
    chosen = parser().parse_args(arguments)
    try:
        chosen.run(chosen)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130
    except BrokenPipeError:  # as of `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, ModuleNotFoundError) as error:
        if chosen.traceback:
            raise
        print(f"gem_lite {chosen.command}: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    top = argparse.ArgumentParser(
        prog="python -m gem_lite",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        name = module.__name__.rsplit(".", 1)[-1]
        text = module.__doc__ or ""
        command = commands.add_parser(
            name,
            help=text.split("\n")[0].rstrip("."),
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.add_argument("--traceback", action="store_true", help="show where in the code an error arose")
        command.set_defaults(run=module.run)
    return top
