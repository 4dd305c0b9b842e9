"""The pictures of README and documentation, from trained and from well-known circuits.

Usage: python docs/pictures.py
"""

from pathlib import Path

import numpy as np
import pennylane as qp
import torch

from quanvolve import Quanv2d, QuanvClassifier, load_dataset
from quanvolve.explain import bloch_figure, filters_figure, gallery_figure, overview_figure, save_figure

HERE = Path(__file__).parent


def main() -> None:
    """Draw all of them."""
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


def demo() -> Quanv2d:
    """The circuit of Mari's demo, with its weights."""
    weights = np.random.RandomState(0).uniform(high=2 * np.pi, size=(1, 4))

    def circuit(inputs: torch.Tensor, weights: torch.Tensor) -> list[qp.measurements.ExpectationMP]:
        for j in range(4):
            qp.RY(np.pi * inputs[j], wires=j)
        qp.RandomLayers(weights, wires=list(range(4)), seed=42)
        return [qp.expval(qp.PauliZ(j)) for j in range(4)]

    return Quanv2d(1, 4, 2, stride=2, circuit=circuit, weight_shapes={"weights": (1, 4)}, weights=weights)


if __name__ == "__main__":
    main()
