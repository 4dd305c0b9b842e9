"""Time series as `.tsv` and `.arff`."""

from pathlib import Path

import numpy as np
import pytest

from quanvolve import _errors
from quanvolve.data import load_dataset, load_series
from tests.datasets import SERIES

DataError = _errors.DataError
ONE = """% UCR
@relation 'Own thing'

@attribute att0 numeric
@ATTRIBUTE 'att 1' REAL
@attribute att2 integer
@attribute target {up, 'down there'}

@data
1,2,3,up
% between
0.5, -1, 2e3, 'down there'
"""
SEVERAL = """@relation Own
@attribute relationalAtt relational
  @attribute att0 numeric
  @attribute att1 numeric
@end relationalAtt
@attribute activity {Standing,Running}
@data
'1,2\\n3,4',Running
"5,6\\n7,8",'Standing'
"""


def put(folder: Path, train: str, test: str | None = None, ending: str = ".arff") -> Path:
    (folder / f"Own_TRAIN{ending}").write_text(train)
    (folder / f"Own_TEST{ending}").write_text(train if test is None else test)
    return folder / f"Own_TRAIN{ending}"


def test_one_channel(tmp_path: Path) -> None:
    path = put(tmp_path, ONE)
    for given in (path, tmp_path, tmp_path / "Own_TEST.arff"):
        data = load_dataset(given)
        assert data.train_images.tolist() == [[[1, 2, 3]], [[0.5, -1, 2000]]]
        assert data.train_labels.tolist() == ["up", "down there"]
        assert (data.name, data.dims) == ("Own", 1)


def test_several_channels(tmp_path: Path) -> None:
    data = load_series(put(tmp_path, SEVERAL))
    assert data.train_images.tolist() == [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
    assert data.test_labels.tolist() == ["Running", "Standing"]


def test_labels_that_are_numbers(tmp_path: Path) -> None:
    header = "@relation x\n@attribute a real\n@attribute b real\n@attribute c real\n@data\n"
    data = load_series(put(tmp_path, header + "0.5,1,4\n2,3,5\n"))
    assert data.train_labels.tolist() == [4, 5]
    assert data.train_images.tolist() == [[[0.5, 1]], [[2, 3]]]
    data = load_series(put(tmp_path, header.replace("a real", "a {4,5}") + "4,0.5,1\n5,2,3\n"))
    assert data.train_labels.tolist() == [4, 5]
    assert data.train_images.tolist() == [[[0.5, 1]], [[2, 3]]]


def test_files_for_each_channel_are_passed_over(tmp_path: Path) -> None:
    put(tmp_path, SEVERAL)
    for part in ("TRAIN", "TEST"):
        (tmp_path / f"OwnDimension1_{part}.arff").write_text(ONE)
    assert load_dataset(tmp_path).train_images.shape == (2, 2, 2)
    put(tmp_path, "@data\n1,2:a\n", ending=".ts")
    assert load_dataset(tmp_path).train_images.shape == (1, 1, 2)


DAMAGED = {
    "no data": (ONE.split("@data")[0], "has no line @data, expected one before the series: it is no ARFF file, or cut"),
    "nothing": ("@relation x\n@attribute a real\n@attribute b {c}\n@data\n", "holds no series, expected at least one"),
    "other": ("label,1,2\n" + ONE, "line 1 of .* is none of @relation, @attribute, @end and @data: it is no ARFF file"),
    "attribute": (
        ONE.replace("att0 numeric", "att0"),
        "line 4 of .* is no `@attribute NAME TYPE`: the file is damaged",
    ),
    "few": (ONE.replace("1,2,3,up", "1,2,up"), "line 10 of .* has 3 values, expected 4, one for each @attribute: the"),
    "many": (ONE.replace("1,2,3,up", "1,2,3,4,up"), "line 10 of .* has 5 values, expected 4"),
    "quote": (ONE.replace("1,2,3,up", "1,2,3,'up"), "line 10 of .* has a quote that does not end: the file is cut"),
    "missing": (ONE.replace("1,2,3,up", "1,?,3,up"), r"line 10 of .* has '\?' where a number was expected: fill in"),
    "sparse": (
        ONE.replace("1,2,3,up", "{0 1, 3 up}"),
        "line 10 of .* is in the sparse form of ARFF, expected all values",
    ),
    "two labels": (
        ONE.replace("att0 numeric", "att0 string"),
        "has 4 attributes, 0 of them relational and 2 no numbers",
    ),
    "no label": ("@attribute a relational\n@end a\n@data\n'1'\n", "has 1 attributes, 1 of them relational and 0 no"),
    "unequal": (
        SEVERAL.replace("3,4'", "3,4,5'"),
        r"line 8 of .* has \[2, 3\] values in its channels, expected \[2, 2\]",
    ),
    "words": (SEVERAL.replace("3,4'", "3,x'"), "line 8 of .* has 'x' where a number was expected"),
    "empty": ("", "is empty: get the file again"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files_are_named_with_the_line(tmp_path: Path, case: str) -> None:
    text, message = DAMAGED[case]
    with pytest.raises(DataError, match=message) as caught:
        load_series(put(tmp_path, text))
    assert str(caught.value).isprintable()


def test_long_lines_that_do_not_fit_are_found_out_at_once(tmp_path: Path) -> None:
    """To try all ways to divide the spaces would take hours."""
    path = put(tmp_path, ONE + "a" + " " * 200_000 + "'\n")
    with pytest.raises(DataError, match=r"line 13 of .* has a quote that does not end"):
        load_series(path)


def test_tab_separated_values_are_those_of_the_archive(tmp_path: Path) -> None:
    for part in ("TRAIN", "TEST"):
        lines = (SERIES / "Coffee" / f"Coffee_{part}.txt").read_text().splitlines()
        (tmp_path / f"Coffee_{part}.tsv").write_text("\n".join("\t".join(line.split()) for line in lines) + "\n")
    found, expected = load_dataset(tmp_path / "Coffee_TEST.tsv"), load_dataset(SERIES / "Coffee")
    np.testing.assert_array_equal(found.train_images, expected.train_images)
    np.testing.assert_array_equal(found.test_labels, expected.test_labels)
    assert found.name == "Coffee"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1\t2\t\t3", r"line 2 of .* has '' where a number was expected: fill in missing values first"),
        ("1\t2\t3", r"line 2 of .* has \[2\] values in its channels, expected \[3\]"),
        ("1", r"line 2 of .* has a label and no values"),
        ("1\t2\tNaN\t3", "holds 1 NaN or infinite pixel out of 6"),
    ],
)
def test_damaged_tab_separated_values(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_dataset(put(tmp_path, f"0\t1\t2\t3\n{line}\n", ending=".tsv"))


def test_other_tables_are_no_series(tmp_path: Path) -> None:
    (tmp_path / "people.tsv").write_text("name\tage\nAda\t36\n")
    with pytest.raises(DataError, match="has no column for the labels"):
        load_dataset(tmp_path / "people.tsv")
