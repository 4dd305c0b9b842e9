"""`python -m quanvolve.cli`."""

import sys

from quanvolve.cli import main

sys.exit(main())
