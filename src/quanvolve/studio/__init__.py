"""The studio: a web page and an API for models, behind `quanvolve studio`."""

from quanvolve.studio._app import create_app as create_app
from quanvolve.studio._serve import serve as serve
from quanvolve.studio._settings import Limits as Limits
from quanvolve.studio._settings import Settings as Settings
