"""What `quanvolve train` says at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from quanvolve._errors import ModelError
from quanvolve._lines import one_line
from quanvolve.cli._console import emit, emit_json, emit_table
from quanvolve.runs import NUMBERS, Run, read_json, said_of, size


def print_summary(run: Run, *, quiet: bool, json: bool) -> None:
    """Print the results of a finished run: a table, its two most important lines, or JSON.

    Raises:
        ModelError: if metrics.json is damaged.
    """
    metrics = read_json(run.metrics)
    try:
        last = last_line(metrics)
        rows = _rows(run, metrics)
        if json:
            # A ValueError here is a number that JSON lacks, such as NaN.
            emit_json({"run": str(run.folder), "options": asdict(run.options), **metrics})
            return
    except (LookupError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ModelError(f"{run.metrics} is damaged ({error!r}): delete it and continue with --resume") from None
    if quiet:
        emit(f"run {run.folder}")
    else:
        emit_table(rows)
    emit(last)


def last_line(metrics: Mapping[str, Any]) -> str:
    """What the test gave, in a line."""
    if "test_r2" in metrics:
        return numbers_line({name: metrics[f"test_{name}"] for name in NUMBERS})
    if "test_f1_micro" in metrics:
        return labels_line(metrics)
    return accuracy_line(metrics["test_right"], metrics["n_test"])


def numbers_line(errors: Mapping[str, float]) -> str:
    """What a regressor's test gave.

    Examples:
        >>> numbers_line({"r2": 0.91, "mae": 1.5, "rmse": 2.25})
        'test R2 0.9100, MAE 1.5, RMSE 2.25'
    """
    return f"test R2 {errors['r2']:.4f}, MAE {errors['mae']:.4g}, RMSE {errors['rmse']:.4g}"


def labels_line(metrics: Mapping[str, Any]) -> str:
    """What the test of a classifier with several labels a sample gave.

    Examples:
        >>> labels_line({"test_f1_micro": 0.9, "test_f1_macro": 0.85, "test_average_precision": None,
        ...              "test_hamming_loss": 0.1, "test_subset_accuracy": 0.5})
        'test F1 0.9000 (micro), 0.8500 (macro), Hamming loss 0.1000, all labels right 0.5000'
    """
    precision = metrics["test_average_precision"]
    parts = [
        f"test F1 {metrics['test_f1_micro']:.4f} (micro)",
        f"{metrics['test_f1_macro']:.4f} (macro)",
        *([] if precision is None else [f"average precision {precision:.4f}"]),
        f"Hamming loss {metrics['test_hamming_loss']:.4f}",
        f"all labels right {metrics['test_subset_accuracy']:.4f}",
    ]
    return ", ".join(parts)


def accuracy_line(right: int, total: int) -> str:
    """`test accuracy 0.9556 (344 of 360)`."""
    return f"test accuracy {right / total:.4f} ({right} of {total})"


def _rows(run: Run, metrics: dict[str, Any]) -> list[tuple[str, str]]:
    parameters = metrics["parameters"]
    counts = f"{metrics['n_train']:,} train, {metrics['n_valid']:,} validation, {metrics['n_test']:,} test images"
    shape = size(tuple(metrics["image_shape"]))
    rows = [
        ("data set", f"{metrics['dataset']}: {counts}, {shape}, {_learned(metrics)}"),
        ("model", _model(run)),
        ("parameters", _parameters(run, parameters)),
        ("epochs", f"{metrics['epochs']}, the best was epoch {metrics['best_epoch']}"),
        ("time", f"{metrics['seconds']:.1f} s"),
    ]
    score = metrics[f"valid_{run.task.watched}"]
    if score is not None:
        rows.append((f"validation {run.task.title}", f"{score:.4f}"))
    rows += [(name, one_line(text)) for name, text in said_of(metrics)]
    rows.append(("run", str(run.folder)))
    return rows


def _learned(metrics: dict[str, Any]) -> str:
    if "labels" in metrics:
        return f"{len(metrics['labels'])} labels, of which an image may have several"
    if "test_r2" not in metrics:
        return f"{len(metrics['classes'])} classes"
    low, high = metrics["target_range"]
    targets = "1 target" if metrics["targets"] == 1 else f"{metrics['targets']} targets"
    return f"{targets} from {low:g} to {high:g}"


def _model(run: Run) -> str:
    from quanvolve.nn import CONTROLS

    o = run.options
    if o.preset is not None:
        kind = "" if o.backbone == "quantum" else f", {o.backbone} twin"
        return f"preset {o.preset}{kind}"
    if o.backbone == "none":
        return f"{o.head} head on the pixels"
    window = f"{o.kernel_size}x{o.kernel_size}, stride {o.stride}"
    if o.backbone == "classical":
        kind = "trainable" if o.trainable else "fixed"
        return f"{kind} classical convolution of the same shape ({window}), {o.head} head"
    if o.backbone in CONTROLS:
        return f"{CONTROLS[o.backbone].summary} ({window}), {o.head} head"
    kind = "trainable" if o.trainable else "fixed"
    filters = "filter" if o.filters == 1 else "filters"
    if o.backbone == "unentangled":
        filters += " without entangling gates"
    return f"{o.filters} {kind} quantum {filters} ({o.circuit}, {o.encoding}; {window}), {o.head} head"


def _parameters(run: Run, parameters: dict[str, int]) -> str:
    text = f"{parameters['total']:,}: "
    if run.options.preset is not None:
        # Its backbone has classical parameters too, where channels become angles.
        quantum = f", of which quantum {parameters['quantum']:,}" if run.options.backbone == "quantum" else ""
        return f"{text}backbone {parameters['backbone']:,}{quantum}, head {parameters['head']:,}"
    if run.options.backbone != "none":
        state = "" if run.options.trainable else " (fixed)"
        text += f"{run.options.backbone} {parameters['backbone']:,}{state}, "
    return f"{text}head {parameters['head']:,}"
