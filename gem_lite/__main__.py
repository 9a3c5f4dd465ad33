"""``python -m gem_lite``: the command line."""

import sys

from gem_lite.cli import main

if __name__ == "__main__":
    sys.exit(main())
