"""`python -m bonesim` is the command `bonesim`."""

import sys

from bonesim.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
