"""The version: that of the installed package, which the build takes from git tags."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("quanvolve")
except PackageNotFoundError:  # sources that were not installed
    __version__ = "0+unknown"
