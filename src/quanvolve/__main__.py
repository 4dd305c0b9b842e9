"""`python -m quanvolve` is the command line."""

import sys

from quanvolve.cli import main

sys.exit(main())
