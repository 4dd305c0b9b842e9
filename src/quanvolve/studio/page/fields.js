// Forms: their fields as the server tells them, and what is chosen in them.

import { call, element, words } from "./api.js";

// Names of fields where they are not the words of the option.
const LABELS = {
  dataset: "Data set", kernel_size: "Window", backbone: "Filters are", lr: "Learning rate",
  train_size: "Training images", test_size: "Test images", batch_size: "Images a step", init: "First weights",
  diff_method: "Gradients of shots", image_size: "Image size", fit: "Fit to the size", label: "Label column", columns: "Columns are",
  channels: "Channels come", task: "Learn", class_weight: "Weights of classes", monitor: "Best epoch by",
};
// What holds where nothing is chosen.
const EMPTY = { noise: "none", shots: "exact", train_size: "all", test_size: "all", image_size: "as it is", label: "found by its name", class_weight: "all the same" };
export const label = (name) => LABELS[name] ?? words(name).replace(/^./, (letter) => letter.toUpperCase());

function input(one, datasets) {
  const { name, kind, least, most, whole } = one;
  const common = { name, title: one.more ? null : one.help || null, "aria-describedby": one.more && one.help ? `${one.form}-${name}-help` : null };
  if (name === "dataset") return element("select", common, element("optgroup", { label: "Published" }, datasets.map((data) => element("option", { value: data.name, selected: data.name === one.default, disabled: !data.available }, data.available ? data.name : `${data.name} (not on this server)`))));
  if (kind === "choice") return element("select", common, one.default === null ? element("option", { value: "" }, EMPTY[name] ?? "by itself") : null, one.choices.map((value) => element("option", { value, selected: value === one.default }, words(value))));
  if (kind === "switch") return element("input", { ...common, type: "checkbox", checked: one.default });
  if (kind === "number") return element("input", { ...common, type: "number", value: one.default ?? "", min: least, max: most, step: whole ? 1 : "any", required: one.default !== null, placeholder: one.default === null ? EMPTY[name] ?? "by itself" : null });
  return element("input", { ...common, type: "text", value: one.default ?? "", maxlength: 80, placeholder: one.default === null ? EMPTY[name] ?? "by itself" : null });
}

export function field(one, datasets = []) {
  const made = input(one, datasets);
  const text = element("span", {}, label(one.name));
  const host = one.kind === "switch" ? element("label", { class: "check" }, made, text) : element("label", {}, text, made);
  if (!one.more) return host;
  return element("div", {}, host, one.help ? element("p", { class: "hint", id: `${one.form}-${one.name}-help` }, one.help) : null);
}

// The fields of a form, as the server tells them: those that come first, and the rarer ones in a fold.
export async function formFields(kind, name, picture, summary) {
  const by = (part) => document.getElementById(`${name}-${part}`);
  const [datasets, parts] = await Promise.all([call("/datasets"), call("/circuits")]);
  const fields = parts.forms[kind].map((one) => ({ ...one, form: name }));
  const shown = fields.filter((one) => one.name !== "trainable" && !one.own);
  by("own-fields").replaceChildren(...fields.filter((one) => one.own).map((one) => field(one)));
  by("fields").replaceChildren(...shown.filter((one) => !one.more).map((one) => field(one, datasets)));
  by("rare").replaceChildren(...shown.filter((one) => one.more).map((one) => field(one, datasets)));
  const form = by("form"), fold = by("more");
  const value = (part) => form.elements[part].value;
  const redraw = () => {
    by("own").hidden = !isOwn(form);
    for (const one of fields.filter(({ needs }) => needs)) form.elements[one.name].disabled = !value(one.needs);
    const changed = fields.filter((one) => one.more && !form.elements[one.name].disabled && entry(form, one) !== one.default).length;
    fold.querySelector("summary").textContent = changed ? `More options (${changed} changed)` : "More options";
    if (summary) summary.textContent = parts.circuits[value("circuit")] ?? "";
    if (!picture) return;
    const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    const window_ = Math.min(3, Number(value("kernel_size")) || 2);
    picture.src = `/api/v1/circuits/${value("circuit")}/picture?encoding=${value("encoding")}&readout=${value("readout")}&layers=${value("layers") || 1}&kernel_size=${window_}&dark=${dark}`;
    picture.alt = `Circuit diagram: ${words(value("circuit"))}, encoding ${value("encoding")}, readout ${value("readout")}`;
  };
  form.addEventListener("change", (event) => {
    if (event.target.name === "dataset") fill(form, fields, event.target.selectedOptions[0].asked ?? {});
    redraw();
  });
  fold.addEventListener("invalid", () => (fold.open = true), true); // or nobody would see which field it is
  picture?.addEventListener("error", () => (picture.hidden = true));
  picture?.addEventListener("load", () => (picture.hidden = false));
  redraw();
  return fields;
}

const isOwn = (form) => form.elements.dataset?.selectedOptions[0]?.asked !== undefined;

// The uploaded data sets that there are now; `wanted` is chosen, if it is one of them.
export async function ownSets(name, fields, wanted) {
  const form = document.getElementById(`${name}-form`);
  const chosen = form.elements.dataset;
  const before = wanted || chosen.value;
  const sets = (await call("/data")).filter((one) => one.files && !one.awaited);
  chosen.querySelector(".own")?.remove();
  if (sets.length) {
    const options = sets.map((one) => Object.assign(element("option", { value: one.id }, one.name), { asked: one.asked }));
    chosen.prepend(element("optgroup", { label: "Yours", class: "own" }, options));
  }
  chosen.value = [...chosen.options].some((one) => one.value === before) ? before : "digits";
  if (wanted) fill(form, fields, chosen.selectedOptions[0].asked ?? {});
  document.getElementById(`${name}-own`).hidden = !isOwn(form);
}

// Fields that say how data are read, as they were last looked at.
export function fill(form, fields, asked) {
  for (const one of fields.filter(({ own }) => own)) {
    const made = form.elements[one.name];
    const value = asked[one.name] ?? one.default;
    if (one.kind === "switch") made.checked = value;
    else made.value = value ?? "";
  }
}

// The words of the library with the names of fields in place of those of its arguments.
export const asFields = (text, fields) => text.replace(/`(\w+)(?:=['"]?([^`'"]*)['"]?)?`/g, (all, name, value) => (fields.some((one) => one.name === name) ? `“${label(name)}${value ? `: ${words(value)}` : ""}”` : all));

// What a field holds; null where nothing was chosen.
function entry(form, one) {
  const { value, checked } = form.elements[one.name];
  if (one.kind === "switch") return checked;
  if (value === "") return null;
  const number = one.kind === "number" || (typeof one.default === "number" && /^\d+$/.test(value));
  return number ? Number(value) : value.trim();
}

export function settingsOf(form, fields) {
  const found = {};
  for (const one of fields) {
    const value = entry(form, one);
    if (one.own && form.elements.dataset && !isOwn(form)) continue;
    if (value !== null && !form.elements[one.name].disabled) found[one.name] = one.many ? [value] : value;
  }
  return found;
}
