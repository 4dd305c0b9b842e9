// What the results of models are called, and how they are written: of classes, of several labels, of numbers.

import { known, percent } from "./api.js";

export const digits = (value) => (Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(2) : String(Number(value.toPrecision(4))));
const three = (value) => value.toFixed(3);

// Of each task: the result that models are listed by, the one of the validation images, and the facts of a test.
export const TASKS = {
  classification: {
    name: "Accuracy", short: "", key: "test_accuracy", write: percent, valid: "valid_accuracy", writeValid: percent,
    facts: [],
  },
  multilabel: {
    name: "F1, mean over labels", short: "F1 ", key: "test_f1_macro", write: three, valid: "valid_accuracy", writeValid: percent,
    facts: [
      ["F1, mean over labels", "test_f1_macro", three], ["F1 of all answers", "test_f1_micro", three],
      ["Average precision", "test_average_precision", three], ["All labels right", "test_subset_accuracy", percent],
      ["Labels wrong (Hamming)", "test_hamming_loss", percent],
    ],
  },
  regression: {
    name: "R²", short: "R² ", key: "test_r2", write: three, valid: "valid_r2", writeValid: three,
    facts: [["R²", "test_r2", three], ["Mean absolute error", "test_mae", digits], ["Root of squared error", "test_rmse", digits]],
  },
};

export const taskOf = (one) => TASKS[one.task] ?? TASKS.classification;

// The result that a model is listed by; null if nobody has written it down.
export const score = (one) => one.metrics?.[taskOf(one).key] ?? null;
export const scoreText = (one) => {
  const task = taskOf(one);
  return known(score(one), (value) => task.short + task.write(value));
};

// Measures of classifiers with their intervals, as metrics.json has them.
export const MEASURES = {
  accuracy: ["Accuracy", percent], balanced_accuracy: ["Balanced accuracy", percent], f1: ["F1, mean over classes", three],
  roc_auc: ["ROC AUC", three], average_precision: ["Average precision", three], log_loss: ["Log loss", three],
  brier: ["Brier score", three], calibration_error: ["Calibration error", three],
};

// All numbers of a test, by name: for models side by side.
export function results(one) {
  const found = new Map();
  for (const [name, [title, write]] of Object.entries(MEASURES)) {
    const value = one.metrics?.metrics?.[name]?.value;
    if (name !== "accuracy" && Number.isFinite(value)) found.set(title, write(value));
  }
  for (const [title, key, write] of taskOf(one).facts) {
    const value = one.metrics?.[key];
    if (Number.isFinite(value)) found.set(title, write(value));
  }
  return found;
}
