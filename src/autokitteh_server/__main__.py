"""`python -m autokitteh_server` is the command line."""

import sys

from autokitteh_server.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
