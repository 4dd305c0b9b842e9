"""The pictures of README and documentation, from trained and from well-known circuits.

Usage: python docs/pictures.py
"""

from pathlib import Path
from textwrap import wrap

import numpy as np
import pennylane as qp
import torch
from matplotlib.figure import Figure
from tables import reproduced

from quanvolve import CoherentTree, Quanv2d, QuanvClassifier, load_dataset
from quanvolve.figures import (
    bloch_figure,
    filters_figure,
    gallery_figure,
    overview_figure,
    purity_figure,
    save_figure,
    tree_reading_figure,
)
from quanvolve.figures._style import BLUE, FONT, INK, ORANGE, PALE, SMALL, new_figure, tidy

HERE = Path(__file__).parent


def main() -> None:
    """Draw all of them."""
    save_figure(reproductions(), HERE / "reproductions.png", dpi=110)
    torch.set_num_threads(1)
    digits = load_dataset("digits")
    clf = QuanvClassifier(n_filters=2, circuit="basic_entangler", random_state=0)
    clf.fit(digits.train_images, digits.train_labels)
    image = digits.test_images[0]
    probabilities = clf.predict_proba(image[None])[0]
    figure = overview_figure(clf.module_.backbone, image, probabilities=probabilities)
    save_figure(figure, HERE / "overview.png", dpi=130)
    print(f"{HERE / 'overview.png'}: predicted {probabilities.argmax()}, label {digits.test_labels[0]}")
    layer = demo()
    save_figure(filters_figure(layer), HERE / "reading-circuit.png", dpi=120)
    save_figure(gallery_figure(layer, image), HERE / "reading-gallery.png", dpi=100)
    save_figure(bloch_figure(layer), HERE / "reading-bloch.png", dpi=110)
    trees()


def demo() -> Quanv2d:
    """The circuit of Mari's demo, with its weights."""
    weights = np.random.RandomState(0).uniform(high=2 * np.pi, size=(1, 4))

    def circuit(inputs: torch.Tensor, weights: torch.Tensor) -> list[qp.measurements.ExpectationMP]:
        for j in range(4):
            qp.RY(np.pi * inputs[j], wires=j)
        qp.RandomLayers(weights, wires=list(range(4)), seed=42)
        return [qp.expval(qp.PauliZ(j)) for j in range(4)]

    return Quanv2d(1, 4, 2, stride=2, circuit=circuit, weight_shapes={"weights": (1, 4)}, weights=weights)


def trees() -> None:
    """What four trees read that are trained as on the page about them, and how mixed their qubits are."""
    digits = load_dataset("digits")
    images, labels = torch.from_numpy(digits.train_images)[:, None], torch.from_numpy(digits.train_labels).long()
    tree = CoherentTree(1, (8, 8), n_trees=4, seed=0)
    torch.manual_seed(0)
    model = torch.nn.Sequential(tree, torch.nn.Linear(12, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(10):
        for chosen in torch.randperm(len(images)).split(100):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(images[chosen].float()), labels[chosen]).backward()
            optimizer.step()
    tests = torch.from_numpy(digits.test_images)[:64, None]
    save_figure(tree_reading_figure(tree, tests), HERE / "tree-reading.png", dpi=100)
    save_figure(purity_figure(tree, tests), HERE / "tree-purity.png", dpi=100)


def reproductions() -> Figure:
    """For each published result what was expected of an arm, and what came out."""
    found = reproduced()
    figure = new_figure(11.0, 0.24 * sum(len(one.arms) + 5 for one, _ in found[::2]) + 0.6)
    pairs = [found[k : k + 2] for k in range(0, len(found), 2)]
    heights = [max(len(one.arms) for one, _ in pair) + 2.5 for pair in pairs]
    axes = figure.subplots(len(pairs), 2, squeeze=False, height_ratios=heights).flat
    for ax, (one, result) in zip(axes, found, strict=False):
        expected = {entry.arm: entry.interval for entry in one.expected if entry.minus is None}
        for row, arm in enumerate(one.arms):
            if arm.name in expected:
                low, high = expected[arm.name]
                ax.barh(row, 100 * (high - low), left=100 * low, height=0.72, color=PALE)
            values = 100 * np.array(result.accuracies[arm.name])
            ax.plot(values, [row] * len(values), "|", color=INK, alpha=0.35, markersize=7)
            colour = ORANGE if arm.name == one.control else BLUE
            ax.plot(values.mean(), row, "o", color=colour, markersize=6, markeredgecolor=INK, markeredgewidth=0.6)
        ax.set_yticks(range(len(one.arms)), [arm.name for arm in one.arms])
        ax.set_ylim(len(one.arms) - 0.4, -0.6)
        tidy(ax, xlabel="test accuracy, percent")
        ax.set_title("\n".join(wrap(one.title, 34)), fontsize=SMALL + 1, color=INK, family=FONT, loc="left")
        ax.xaxis.label.set_fontsize(SMALL)
    for ax in axes:  # what is left of the last row
        ax.axis("off")
    figure.suptitle(
        "Means (dots; orange: the matched control), single seeds (ticks), and what was expected (grey)",
        fontsize=SMALL + 1, color=INK, family=FONT,
    )  # fmt: skip
    return figure


if __name__ == "__main__":
    main()
