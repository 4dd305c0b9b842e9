"""USPS: two compressed text files."""

from __future__ import annotations

from pathlib import Path

from quanvolve.data import _usps
from quanvolve.data._blob import read_blob
from quanvolve.data._dataset import Dataset
from quanvolve.data._info import DatasetInfo
from quanvolve.data.named._spec import Form, Spec


def _read(spec: Spec, paths: list[Path]) -> Dataset:
    return _usps.read_usps(spec.name, *(read_blob(path) for path in paths))


USPS = Spec(
    DatasetInfo("usps", 9298, (16, 16), 10, "Hull, 1994; US Postal Service", "not stated"),
    ("https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/",),
    # As torchvision has them.
    ("ec16c51db3855ca6c91edd34d0e9b197", "8ea070ee2aca1ac39742fdd1ef5ed118"),
    _usps.CLASSES,
    _usps.FILES,
    Form(_read),
)
