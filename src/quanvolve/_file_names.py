"""Names of files that several rooms know."""

CONFIG, TENSORS = "config.json", "model.safetensors"
"""A saved model: the first is written last, and says what the second, with the weights, must be."""
STUDY_TABLE, STUDY_REPORT = "study.sqlite", "report.html"
"""A study, and the page about it."""
