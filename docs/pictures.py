"""The README's picture: a digit, its windows, the circuit and the feature maps, from a trained model.

Usage: python docs/pictures.py
"""

from pathlib import Path

import torch

from quanvolve import QuanvClassifier, load_dataset
from quanvolve.explain import overview_figure, save_figure

HERE = Path(__file__).parent


def main() -> None:
    """Train on the bundled digits, draw one test image's way through the model."""
    torch.set_num_threads(1)
    digits = load_dataset("digits")
    clf = QuanvClassifier(n_filters=2, circuit="basic_entangler", random_state=0)
    clf.fit(digits.train_images, digits.train_labels)
    image = digits.test_images[0]
    probabilities = clf.predict_proba(image[None])[0]
    figure = overview_figure(clf.module_.backbone, image, probabilities=probabilities)
    save_figure(figure, HERE / "overview.png", dpi=130)
    print(f"{HERE / 'overview.png'}: predicted {probabilities.argmax()}, label {digits.test_labels[0]}")


if __name__ == "__main__":
    main()
