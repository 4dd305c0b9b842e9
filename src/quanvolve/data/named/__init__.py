"""Data sets that are known by name and come as files from the web: one entry each, and a way to read each form."""

from quanvolve.data.named._specs import SPECS as SPECS
from quanvolve.data.named._specs import find_spec as find_spec
from quanvolve.data.named._store import find_named as find_named
from quanvolve.data.named._store import load_named as load_named
from quanvolve.data.named._ucr import UCR_NAMES as UCR_NAMES
from quanvolve.data.named._ucr import ucr_name as ucr_name
