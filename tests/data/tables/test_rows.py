"""Rows of tables to predict from: which columns count, and what is wrong with the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from quanvolve._errors import DataError
from quanvolve.data import read_rows

VALUES = [[1.0, 2.5], [3.0, -4.0]]


@pytest.mark.parametrize(
    "text",
    [
        "1,2.5\n3,-4\n", "a,b\n1,2.5\n3,-4\n", "a;b\n1;2.5\n3;-4\n", "label,a,b\ncat,1,2.5\ndog,3,-4\n",
        "a,b,target\n1,2.5,7\n3,-4,8\n", "a,name,b\n1,x,2.5\n3,y,-4\n", "split,a,b\ntest,1,2.5\ntest,3,-4\n",
        '\ufeff"a","b"\n1,2.5\n\n3,-4\n', "x,1,2.5\ny,3,-4\n",
    ],
)  # fmt: skip
def test_the_numbers_are_taken_and_nothing_else(tmp_path: Path, text: str) -> None:
    path = tmp_path / "new.csv"
    path.write_text(text, encoding="utf-8")
    found = list(read_rows(path, 2))
    assert [row.pixels.tolist() for row in found] == VALUES
    assert [row.name for row in found] == [f"{path}[0]", f"{path}[1]"]


def test_columns_of_labels_count_where_the_width_says_so(tmp_path: Path) -> None:
    path = tmp_path / "new.tsv"
    path.write_text("1\t2\t3\n", encoding="utf-8")
    assert next(read_rows(path, 3)).pixels.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no row of values, expected rows of 2 numbers"), ("a,b\n", "has no row of values"),
        ("a,b,c\n1,2,3\n", r"has 3 column\(s\) of numbers, but the model takes 2"), ("a,b\n1,\n", "row 2 of .* 'b'"),
        ("a,b\n1,2\n1,two\n", "row 3 of .*, column 'b' holds 'two'"), ("a,b\n1,inf\n", "row 2 of .* 'b'"),
        ("a,b\n1,2,3\n", "row 2 of .* has 3 values"), ('a,b\n1,"2\n', "a quote that is not closed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "new.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=words):
        list(read_rows(path, 2))
    with pytest.raises(DataError, match="does not exist"):
        list(read_rows(tmp_path / "no.csv", 2))
