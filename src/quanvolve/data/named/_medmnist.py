"""MedMNIST: medical images of 28x28 pixels, twelve data sets of one `.npz` file each, with validation sets.

References:
    Yang et al., "MedMNIST v2", Scientific Data 10, 41 (2023), arXiv:2110.14795; the files are those of version 3,
    doi:10.5281/zenodo.10519652.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from quanvolve._errors import DataError
from quanvolve.data._arrays import load_npz
from quanvolve.data._dataset import CLASSIFICATION, MULTILABEL, Dataset
from quanvolve.data._info import DatasetInfo
from quanvolve.data._text import quoted
from quanvolve.data.named._spec import Form, Spec

_ORGANS = (
    "bladder", "femur-left", "femur-right", "heart", "kidney-left", "kidney-right", "liver", "lung-left", "lung-right",
    "pancreas", "spleen",
)  # fmt: skip


def _read(spec: Spec, paths: list[Path]) -> Dataset:
    found = load_npz(paths[0], channels="last", task=spec.task)
    shape, n_classes = spec.info.shape, len(spec.class_names)
    if found.train_images.shape[1:] != shape:
        raise DataError(
            f"{quoted(paths[0])} holds images of shape {found.train_images.shape[1:]}, expected {shape}: check that "
            f"this is {spec.name} in its size of 28x28"
        )
    labels = [part for part in (found.train_labels, found.test_labels, found.valid_labels) if part is not None]
    if spec.task == MULTILABEL:
        if labels[0].shape[1:] != (n_classes,):
            raise DataError(
                f"{quoted(paths[0])} holds labels of shape {labels[0].shape}, expected 0 or 1 for each of {n_classes}: "
                f"check that this is {spec.name}"
            )
    elif any(part.dtype != np.int64 or part.min() < 0 or part.max() >= n_classes for part in labels):
        raise DataError(
            f"{quoted(paths[0])} holds other labels than 0 to {n_classes - 1}: check that this is {spec.name}"
        )
    return replace(found, name=spec.name, class_names=spec.class_names)


_FORM = Form(_read)


def _spec(
    name: str, images: int, md5: str, classes: tuple[str, ...], colour: bool = False, licence: str = "CC BY 4.0",
    task: str = CLASSIFICATION,
) -> Spec:  # fmt: skip
    shape = (3, 28, 28) if colour else (28, 28)
    return Spec(
        DatasetInfo(name, images, shape, len(classes), "Yang et al., 2023; MedMNIST", licence),
        ("https://zenodo.org/records/10519652/files/",),
        (md5,),
        classes,
        (f"{name}.npz",),
        _FORM,
        task,
    )


# Checksums, numbers, names of classes and licences as in the package medmnist 3.0, info.py.
MEDMNIST = (
    _spec(
        "pathmnist", 107180, "a8b06965200029087d5bd730944a56c1",
        (
            "adipose", "background", "debris", "lymphocytes", "mucus", "smooth muscle", "normal colon mucosa",
            "cancer-associated stroma", "colorectal adenocarcinoma epithelium",
        ),
        colour=True,
    ),
    _spec(
        "chestmnist", 112120, "02c8a6516a18b556561a56cbdd36c4a8",
        (
            "atelectasis", "cardiomegaly", "effusion", "infiltration", "mass", "nodule", "pneumonia", "pneumothorax",
            "consolidation", "edema", "emphysema", "fibrosis", "pleural", "hernia",
        ),
        task=MULTILABEL,
    ),
    _spec(
        "dermamnist", 10015, "0744692d530f8e62ec473284d019b0c7",
        (
            "actinic keratoses and intraepithelial carcinoma", "basal cell carcinoma", "benign keratosis-like lesions",
            "dermatofibroma", "melanoma", "melanocytic nevi", "vascular lesions",
        ),
        colour=True,
        licence="CC BY-NC 4.0",
    ),
    _spec(
        "octmnist", 109309, "c68d92d5b585d8d81f7112f81e2d0842",
        ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    ),
    _spec("pneumoniamnist", 5856, "28209eda62fecd6e6a2d98b1501bb15f", ("normal", "pneumonia")),
    _spec("retinamnist", 1600, "bd4c0672f1bba3e3a89f0e4e876791e4", tuple("01234"), colour=True),
    _spec("breastmnist", 780, "750601b1f35ba3300ea97c75c52ff8f6", ("malignant", "normal, benign")),
    _spec(
        "bloodmnist", 17092, "7053d0359d879ad8a5505303e11de1dc",
        (
            "basophil", "eosinophil", "erythroblast",
            "immature granulocytes(myelocytes, metamyelocytes and promyelocytes)", "lymphocyte", "monocyte",
            "neutrophil", "platelet",
        ),
        colour=True,
    ),
    _spec(
        "tissuemnist", 236386, "ebe78ee8b05294063de985d821c1c34b",
        (
            "Collecting Duct, Connecting Tubule", "Distal Convoluted Tubule", "Glomerular endothelial cells",
            "Interstitial endothelial cells", "Leukocytes", "Podocytes", "Proximal Tubule Segments",
            "Thick Ascending Limb",
        ),
    ),
    _spec("organamnist", 58830, "68e3f8846a6bd62f0c9bf841c0d9eacc", _ORGANS),
    _spec("organcmnist", 23583, "b9ceb9546e10131b32923c5bbeaea2b1", _ORGANS),
    _spec("organsmnist", 25211, "9ab87b696fb54e2a387ebe992d6ed5f1", _ORGANS),
)  # fmt: skip
