"""The command line `quanvolve`.

Nothing heavy is imported until a command does its work, so that `--help` and mistyped options are answered at once.
"""

from quanvolve.cli._main import main as main
