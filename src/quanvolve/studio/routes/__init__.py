"""The calls of the API, one file for each part of it."""

from quanvolve.studio.routes._catalogue import router as catalogue
from quanvolve.studio.routes._data import router as data
from quanvolve.studio.routes._jobs import router as jobs
from quanvolve.studio.routes._models import router as models
from quanvolve.studio.routes._predict import router as predict
from quanvolve.studio.routes._system import router as system

ROUTERS = (predict, models, jobs, data, catalogue, system)
