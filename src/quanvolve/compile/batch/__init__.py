"""A batch of windows: where they are in the images, what a circuit reads of them, and blocks of bounded size."""
