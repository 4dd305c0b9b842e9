// The results of a model in detail: measures with intervals, class by class, label by label, target by target.

import { element } from "./api.js";
import { digits, MEASURES } from "./scores.js";

const two = (value) => value.toFixed(2);
const head = (names) => element("thead", {}, element("tr", {}, names.map((name, k) => element("th", { scope: "col", class: k ? "number" : "" }, name))));
const scrolled = (label, ...rows) => element("div", { class: "scroll", tabindex: 0, "aria-label": label }, element("table", {}, ...rows));

// A share with its interval: in numbers, and as a line from 0 to 1.
function share(value, interval) {
  if (!Number.isFinite(value)) return element("td", { class: "number" }, "–");
  const cell = element("td", { class: "number" }, two(value));
  if (interval) {
    const line = element("span", { class: "interval", "aria-hidden": "true" }, element("b"), element("i"));
    line.firstChild.style.left = `${100 * interval[0]}%`;
    line.firstChild.style.width = `${100 * (interval[1] - interval[0])}%`;
    line.lastChild.style.left = `${100 * value}%`;
    cell.append(element("span", { class: "hint" }, ` ${two(interval[0])}–${two(interval[1])}`), line);
  }
  return cell;
}

function measures({ metrics, intervals }) {
  const rows = Object.entries(MEASURES).filter(([name]) => metrics[name]).map(([name, [title, write]]) => {
    const { value, interval } = metrics[name];
    return element("tr", {}, element("th", { scope: "row" }, title),
      element("td", { class: "number" }, Number.isFinite(value) ? write(value) : "–"),
      element("td", { class: "number" }, interval ? `${write(interval[0])} to ${write(interval[1])}` : "–"));
  });
  return [
    element("h3", {}, "How good it is"), scrolled("Measures of the test", head(["Measure", "Test", "95 % interval"]), element("tbody", {}, rows)),
    intervals ? element("p", { class: "hint" }, `Intervals say what other test samples would give. Accuracy and single classes: ${intervals.accuracy}; the others: ${intervals.others}.`) : null,
  ];
}

function classes(rows) {
  const lines = rows.map((row) => element("tr", {}, element("th", { scope: "row" }, row.name), element("td", { class: "number" }, String(row.n)),
    ...["precision", "recall", "f1"].map((name) => share(row[name], row[`${name}_interval`]))));
  return [
    element("details", { class: "each", open: rows.length <= 20 }, element("summary", {}, `Each of the ${rows.length} classes`),
      scrolled("Results of each class", head(["Class", "Images", "Precision", "Recall", "F1"]), element("tbody", {}, lines))),
  ];
}

function labels(each) {
  const rows = Object.entries(each).map(([name, { f1, n }]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", { class: "number" }, String(n)), share(f1, null)));
  return [element("h3", {}, "Each label"), scrolled("Results of each label", head(["Label", "Images that have it", "F1"]), element("tbody", {}, rows))];
}

function targets(each) {
  const rows = each.map((row, k) => element("tr", {}, element("th", { scope: "row" }, `target_${k + 1}`),
    ...["r2", "mae", "rmse"].map((name) => element("td", { class: "number" }, Number.isFinite(row[name]) ? digits(row[name]) : "–"))));
  return [element("h3", {}, "Each target"), scrolled("Results of each target", head(["Target", "R²", "Mean absolute error", "Root of squared error"]), element("tbody", {}, rows))];
}

function errors(one) {
  const [low, high] = one.metrics?.target_range ?? [];
  const parts = [element("h3", {}, "Errors on the test images")];
  if (Number.isFinite(low)) parts.push(element("p", { class: "hint" }, `The targets of the training are from ${digits(low)} to ${digits(high)}.`));
  parts.push(one.residuals
    ? element("a", { href: `/api/v1/models/${one.id}/residuals`, target: "_blank", rel: "noopener" },
      element("img", { class: "run-picture", src: `/api/v1/models/${one.id}/residuals`, alt: "For each target, left: predicted against true numbers; right: their differences. Opens alone." }))
    : element("p", { class: "hint" }, "This model was saved without a picture of its errors; quanvolve train makes one."));
  return parts;
}

// What is known of a test, as far as it is.
export function tested(one) {
  const m = one.metrics;
  return [
    ...(m?.metrics ? measures(m) : []),
    ...(m?.per_class?.length ? classes(m.per_class) : []),
    ...(m?.each_label ? labels(m.each_label) : []),
    ...(m?.each_target ? targets(m.each_target) : []),
    ...(one.task === "regression" && one.state === "ready" ? errors(one) : []),
  ].filter(Boolean);
}
