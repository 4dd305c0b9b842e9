"""The UCR archive: 128 data sets of time series, by name.

Nobody publishes checksums of its files. What is downloaded must have the length that the server states and be a `.zip`
archive whose own checksums hold.

References:
    Dau et al., "The UCR Time Series Archive", IEEE/CAA J. Autom. Sinica 6, 1293 (2019), arXiv:1810.07758.
"""

from __future__ import annotations

from pathlib import Path

from quanvolve._errors import DataError
from quanvolve.data._blob import is_archive, read_blob, read_members
from quanvolve.data._dataset import Dataset
from quanvolve.data._info import DatasetInfo
from quanvolve.data._series import SERIES_ENDINGS, read_series
from quanvolve.data._text import quoted
from quanvolve.data.named._spec import Form, Found, Spec, files_by_name

_PREFIX = "ucr/"
_PARTS = ("TRAIN", "TEST")
UCR_NAMES = (
    "ACSF1", "Adiac", "AllGestureWiimoteX", "AllGestureWiimoteY", "AllGestureWiimoteZ", "ArrowHead", "Beef",
    "BeetleFly", "BirdChicken", "BME", "Car", "CBF", "Chinatown", "ChlorineConcentration", "CinCECGTorso", "Coffee",
    "Computers", "CricketX", "CricketY", "CricketZ", "Crop", "DiatomSizeReduction", "DistalPhalanxOutlineAgeGroup",
    "DistalPhalanxOutlineCorrect", "DistalPhalanxTW", "DodgerLoopDay", "DodgerLoopGame", "DodgerLoopWeekend",
    "Earthquakes", "ECG200", "ECG5000", "ECGFiveDays", "ElectricDevices", "EOGHorizontalSignal", "EOGVerticalSignal",
    "EthanolLevel", "FaceAll", "FaceFour", "FacesUCR", "FiftyWords", "Fish", "FordA", "FordB", "FreezerRegularTrain",
    "FreezerSmallTrain", "Fungi", "GestureMidAirD1", "GestureMidAirD2", "GestureMidAirD3", "GesturePebbleZ1",
    "GesturePebbleZ2", "GunPoint", "GunPointAgeSpan", "GunPointMaleVersusFemale", "GunPointOldVersusYoung", "Ham",
    "HandOutlines", "Haptics", "Herring", "HouseTwenty", "InlineSkate", "InsectEPGRegularTrain", "InsectEPGSmallTrain",
    "InsectWingbeatSound", "ItalyPowerDemand", "LargeKitchenAppliances", "Lightning2", "Lightning7", "Mallat", "Meat",
    "MedicalImages", "MelbournePedestrian", "MiddlePhalanxOutlineAgeGroup", "MiddlePhalanxOutlineCorrect",
    "MiddlePhalanxTW", "MixedShapesRegularTrain", "MixedShapesSmallTrain", "MoteStrain", "NonInvasiveFetalECGThorax1",
    "NonInvasiveFetalECGThorax2", "OliveOil", "OSULeaf", "PhalangesOutlinesCorrect", "Phoneme", "PickupGestureWiimoteZ",
    "PigAirwayPressure", "PigArtPressure", "PigCVP", "PLAID", "Plane", "PowerCons", "ProximalPhalanxOutlineAgeGroup",
    "ProximalPhalanxOutlineCorrect", "ProximalPhalanxTW", "RefrigerationDevices", "Rock", "ScreenType",
    "SemgHandGenderCh2", "SemgHandMovementCh2", "SemgHandSubjectCh2", "ShakeGestureWiimoteZ", "ShapeletSim",
    "ShapesAll", "SmallKitchenAppliances", "SmoothSubspace", "SonyAIBORobotSurface1", "SonyAIBORobotSurface2",
    "StarLightCurves", "Strawberry", "SwedishLeaf", "Symbols", "SyntheticControl", "ToeSegmentation1",
    "ToeSegmentation2", "Trace", "TwoLeadECG", "TwoPatterns", "UMD", "UWaveGestureLibraryAll", "UWaveGestureLibraryX",
    "UWaveGestureLibraryY", "UWaveGestureLibraryZ", "Wafer", "Wine", "WordSynonyms", "Worms", "WormsTwoClass", "Yoga",
)  # fmt: skip
"""The data sets, without `ucr/`."""

_BY_KEY = {name.lower(): name for name in UCR_NAMES}


def ucr_name(text: str) -> str | None:
    """The name of a data set of the archive in its usual spelling, or None.

    Examples:
        >>> ucr_name("UCR/coffee")
        'ucr/Coffee'
    """
    key = text.lower()
    name = _BY_KEY.get(key.removeprefix(_PREFIX)) if key.startswith(_PREFIX) else None
    return None if name is None else _PREFIX + name


def ucr_spec(name: str) -> Spec:
    """What is known of `ucr/NAME`."""
    return Spec(
        DatasetInfo(name, 0, (), 0, "Dau et al., 2019; the UCR archive", "not stated"),
        (
            "https://timeseriesclassification.com/aeon-toolkit/",
            "https://www.timeseriesclassification.com/aeon-toolkit/",
        ),
        (None,),
        (),
        (f"{name.removeprefix(_PREFIX)}.zip",),
        _FORM,
    )


def _pairs(name: str) -> list[tuple[str, str]]:
    """The names of the two files, in each form that they may have."""
    train, test = (f"{name.removeprefix(_PREFIX)}_{part}" for part in _PARTS)
    return [(train + ending, test + ending) for ending in SERIES_ENDINGS]


def _find(spec: Spec, folder: Path) -> Found:
    for place in (folder, folder / spec.name.removeprefix(_PREFIX)):
        for pair in _pairs(spec.name):
            paths = [place / file for file in pair]
            if all(path.is_file() for path in paths):
                return paths, []
    return files_by_name(spec, folder)


def _read(spec: Spec, paths: list[Path]) -> Dataset:
    if not is_archive(paths[0]):
        return read_series(spec.name, *(read_blob(path) for path in paths))
    pairs = _pairs(spec.name)
    wanted = {name for pair in pairs for name in pair}
    files = {file.name: file for file in read_members(paths[0], wanted.__contains__)}
    for train, test in pairs:
        if train in files and test in files:
            return read_series(spec.name, files[train], files[test])
    raise DataError(f"{quoted(paths[0])} lacks {pairs[0][0]} and {pairs[0][1]}: delete it and run again")


_FORM = Form(_read, _find)
