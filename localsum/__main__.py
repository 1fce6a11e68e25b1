"""`python -m localsum` and the `localsum` command."""

from __future__ import annotations

import sys


def main() -> None:
    from localsum.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
