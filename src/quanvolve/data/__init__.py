"""Data sets and input files: bundled digits, published data sets by name, files of many forms.

Everything comes back as plain NumPy arrays with the pixels of the source; the layers and estimators do the
scaling. Importing this room loads NumPy and nothing heavier: scikit-learn and Pillow are imported by the
readers that need them.
"""

from quanvolve.data._arrays import load_npz as load_npz
from quanvolve.data._asked import CHANNELS as CHANNELS
from quanvolve.data._asked import COLUMNS as COLUMNS
from quanvolve.data._asked import Asked as Asked
from quanvolve.data._cache import cache_dir as cache_dir
from quanvolve.data._cache import offline as offline
from quanvolve.data._dataset import CLASSIFICATION as CLASSIFICATION
from quanvolve.data._dataset import MULTILABEL as MULTILABEL
from quanvolve.data._dataset import REGRESSION as REGRESSION
from quanvolve.data._dataset import Dataset as Dataset
from quanvolve.data._digits import load_digits as load_digits
from quanvolve.data._download import download as download
from quanvolve.data._forecasting import forecasting_windows as forecasting_windows
from quanvolve.data._idx import read_idx as read_idx
from quanvolve.data._idx import write_idx as write_idx
from quanvolve.data._images import ImageInput as ImageInput
from quanvolve.data._images import read_arrays as read_arrays
from quanvolve.data._images import read_images as read_images
from quanvolve.data._info import DatasetInfo as DatasetInfo
from quanvolve.data._moons import load_moons as load_moons
from quanvolve.data._open import WITHIN as WITHIN
from quanvolve.data._preparation import FITS as FITS
from quanvolve.data._preparation import Preparation as Preparation
from quanvolve.data._registry import dataset_key as dataset_key
from quanvolve.data._registry import list_datasets as list_datasets
from quanvolve.data._registry import list_ucr as list_ucr
from quanvolve.data._registry import load_dataset as load_dataset
from quanvolve.data._registry import source_of as source_of
from quanvolve.data._registry import where as where
from quanvolve.data._series import load_series as load_series
from quanvolve.data._shapes import channel_axis as channel_axis
from quanvolve.data._task import TASKS as TASKS
from quanvolve.data._understood import ClassCount as ClassCount
from quanvolve.data._understood import Understood as Understood
from quanvolve.data._understood import understand as understand
from quanvolve.data.sources import is_table as is_table
from quanvolve.data.sources import read_table as read_table

__all__ = [
    "Asked",
    "CHANNELS",
    "CLASSIFICATION",
    "COLUMNS",
    "FITS",
    "MULTILABEL",
    "REGRESSION",
    "TASKS",
    "WITHIN",
    "ClassCount",
    "Dataset",
    "DatasetInfo",
    "ImageInput",
    "Preparation",
    "Understood",
    "cache_dir",
    "channel_axis",
    "dataset_key",
    "download",
    "forecasting_windows",
    "is_table",
    "list_datasets",
    "list_ucr",
    "load_dataset",
    "load_digits",
    "load_moons",
    "load_npz",
    "load_series",
    "read_idx",
    "read_arrays",
    "read_images",
    "read_table",
    "source_of",
    "understand",
    "where",
    "write_idx",
]
