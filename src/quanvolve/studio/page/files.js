// Files of any kind: what a model says of each, which cannot be used, and again with dark and bright exchanged.

import { call, complain, element, percent } from "./api.js";
import { digits } from "./scores.js";

const by = (id) => document.getElementById(id);
const PICTURES = "image/png,image/jpeg,image/bmp,image/gif,image/webp,.png,.jpg,.jpeg,.bmp,.gif,.webp";
const ARRAYS = ".npy,.npz,.csv,.tsv";
const SHOWN = 200; // images whose answers stand in the table

const FITS = {
  crop: "whole pictures: scaled, the middle cut out", pad: "whole pictures: scaled, with black margins", stretch: "whole pictures: stretched",
};

const isPicture = (model) => model.image_shape?.length === 3 && [1, 3].includes(model.image_shape[0]);
export const accepted = (model) => (isPicture(model) ? `${PICTURES},${ARRAYS}` : ARRAYS);

// Ask a model about files.
export function ask(model, files, { fit = "", invert = false, images = false } = {}) {
  const form = new FormData();
  for (const file of files) form.append("files", file);
  if (fit) form.append("fit", fit);
  if (invert) form.append("invert", "true");
  if (images) form.append("images", "true");
  return call(`/models/${model.id}/predict/files`, { method: "POST", form });
}

// What is taken, in a sentence.
export function taken(model) {
  const size = (model.image_shape ?? []).join("×");
  if (model.preparation) {
    const { size: to, fit, channels } = model.preparation;
    return `Pictures of any size are prepared as those of the training were: ${to ? `${to.join("×")} (${fit})` : "their size left as it is"}, ${channels === 1 ? "grey" : "colour"}.`;
  }
  if (isPicture(model)) return "Pictures of any size, or arrays (.npy, .npz).";
  const features = model.image_shape?.length === 3 && model.image_shape[0] === 1 && model.image_shape[1] === 1;
  return features ? `Rows of ${model.image_shape[2]} numbers: a table (.csv, .tsv) or arrays (.npy, .npz).` : `Arrays of ${size} (channels first) as .npy or .npz, or a table (.csv) with one of them a row.`;
}

const cells = {
  classification: (answer) => ({
    head: ["Answer", "Probability", "Next"],
    row: (k) => {
      const order = answer.probabilities[k].map((p, c) => [p, c]).sort((a, b) => b[0] - a[0]);
      return [answer.labels[k], percent(order[0][0]), order.length > 1 ? `${answer.classes[order[1][1]]} (${percent(order[1][0])})` : ""];
    },
  }),
  multilabel: (answer) => ({
    head: ["Labels", ...answer.classes],
    row: (k) => [answer.labels[k].join(", ") || "none", ...answer.probabilities[k].map(percent)],
  }),
  regression: (answer) => ({ head: answer.targets, row: (k) => answer.numbers[k].map(digits) }),
};

function table(answer) {
  const { head, row } = cells[answer.task](answer);
  const odd = new Set(answer.inverted);
  const rows = answer.names.slice(0, SHOWN).map((name, k) => element("tr", {}, element("th", { scope: "row" }, name, odd.has(k) ? " (wrong way round?)" : ""),
    row(k).map((text, column) => element("td", { class: column || answer.task === "regression" ? "number" : "" }, text))));
  return element("table", {}, element("thead", {}, element("tr", {}, ["File", ...head].map((name, k) => element("th", { scope: "col", class: k > (answer.task === "regression" ? 0 : 1) ? "number" : "" }, name)))), element("tbody", {}, rows));
}

function csv(answer) {
  const shares = answer.classes.map((name) => `p_${name}`);
  const lines = [["file", ...(answer.task === "regression" ? answer.targets : ["label", ...shares])]];
  answer.names.forEach((name, k) => lines.push([name, ...(answer.task === "regression" ? answer.numbers[k] : [[answer.labels[k]].flat().join("; "), ...answer.probabilities[k]])]));
  const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return lines.map((line) => line.map((cell) => quoted(String(cell))).join(",")).join("\n");
}

export class Files {
  constructor() {
    this.model = null;
    this.chosen = [];
    this.inverted = false;
    this.asked = 0;
    by("files-open").disabled = true; // until there is a model
    by("files-open").addEventListener("click", () => by("files").click());
    by("files").addEventListener("change", (event) => {
      this.chosen = [...event.target.files];
      event.target.value = "";
      this.inverted = false;
      this.predict();
    });
    by("files-fit").addEventListener("change", () => this.predict());
    by("files-invert").addEventListener("click", () => {
      this.inverted = !this.inverted;
      this.predict();
    });
    by("files-save").addEventListener("click", () => this.save());
  }

  // Another model, or the same one again, when the studio was away.
  use(model) {
    if (this.model?.id === model.id) return;
    this.model = model;
    this.chosen = [];
    this.inverted = false;
    this.asked += 1;
    this.clear();
    by("files-open").disabled = false;
    by("files").accept = accepted(model);
    by("files-hint").textContent = taken(model);
    const grey = model.image_shape?.[0] === 1;
    const choices = [["", grey ? "drawings: cut out and centred" : "whole pictures: the middle of them"], ...Object.entries(FITS).filter(([name]) => grey || name !== "crop")];
    by("files-fit").replaceChildren(...choices.map(([value, text]) => element("option", { value }, text)));
    by("files-how").hidden = !model.drawable || Boolean(model.preparation);
  }

  clear() {
    complain(by("files-error"), null);
    by("files-answers").replaceChildren();
    by("files-answers").hidden = true;
    by("files-warning").hidden = by("files-invert").hidden = by("files-save").hidden = true;
    by("files-faults").replaceChildren();
  }

  async predict() {
    if (!this.model || !this.chosen.length) return;
    this.asked += 1;
    const turn = this.asked;
    by("files-open").disabled = true;
    try {
      const answer = await ask(this.model, this.chosen, { fit: by("files-fit").value, invert: this.inverted });
      if (turn === this.asked) this.show(answer);
    } catch (error) {
      if (turn === this.asked) {
        this.clear();
        complain(by("files-error"), error.status === 0 ? null : error);
        this.faults((error.errors ?? []).filter((one) => this.chosen.length > 1).map((one) => ({ name: one.where, detail: one.what })));
      }
    }
    by("files-open").disabled = false;
  }

  show(answer) {
    this.clear();
    this.answer = answer;
    by("files-answers").hidden = false;
    by("files-answers").replaceChildren(table(answer));
    by("files-save").hidden = false;
    by("files-invert").hidden = !answer.warning && !this.inverted;
    by("files-invert").textContent = this.inverted ? "Predict as they are" : "Invert and predict again";
    const rest = answer.names.length - SHOWN;
    const said = [answer.warning ? `Careful: ${answer.warning}.` : "", this.inverted ? "Dark and bright were exchanged." : "", rest > 0 ? `${rest} more are in the CSV file.` : ""].filter(Boolean);
    by("files-warning").hidden = !said.length;
    by("files-warning").textContent = said.join(" ");
    this.faults(answer.faults);
  }

  faults(found) {
    by("files-faults").replaceChildren(...(found.length ? [
      element("p", { class: "error" }, found.length === 1 ? "One file could not be used:" : `${found.length} files could not be used:`),
      element("ul", {}, found.map(({ name, detail }) => element("li", {}, element("strong", {}, name), `: ${detail}`))),
    ] : []));
  }

  save() {
    const link = element("a", { href: URL.createObjectURL(new Blob([csv(this.answer)], { type: "text/csv" })), download: "predictions.csv" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}
