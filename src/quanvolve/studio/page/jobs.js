// Lists of jobs that follow themselves: progress, charts, and buttons to stop, go on and delete.

import { call, element, follow, words } from "./api.js";
import { historyChart } from "./charts.js";

const BUSY = ["queued", "running"];
// A browser has six connections to a server, and a stream keeps one: the others are for everything else.
const STREAMS = 2;
const POLL = 1500; // ms

export class JobList {
  constructor(place, kind, { title, finished = () => {}, actions = () => [] }) {
    Object.assign(this, { place, kind, title, finished, actions });
    this.open = new Map(); // jobs that are followed
  }

  async refresh() {
    this.show(await call(`/jobs?kind=${this.kind}&limit=30`));
  }

  show(jobs) {
    this.leave();
    this.place.replaceChildren(...(jobs.length ? jobs.map((job) => this.item(job)) : [element("p", { class: "empty" }, "None yet.")]));
    const waiting = jobs.filter((job) => BUSY.includes(job.state) && !this.open.has(job.id));
    if (waiting.length) this.timer = setTimeout(() => this.ask(waiting), POLL);
  }

  // Jobs without a stream of their own: ask whether one of them has changed.
  async ask(waiting) {
    const jobs = await call(`/jobs?kind=${this.kind}&limit=30`).catch(() => null);
    const changed = jobs && waiting.some((job) => jobs.find((one) => one.id === job.id)?.state !== job.state);
    if (changed) this.show(jobs);
    else this.timer = setTimeout(() => this.ask(waiting), POLL);
  }

  leave() {
    clearTimeout(this.timer);
    for (const end of this.open.values()) end();
    this.open.clear();
  }

  item(job) {
    const host = element("article", { class: "job", "data-job": job.id });
    const rows = [];
    const draw = (state) => {
      const { done, total, message } = state.progress;
      const busy = BUSY.includes(state.state);
      const button = (text, method, path, options = {}) => element("button", { type: "button", class: options.danger ? "danger" : "", onclick: async (event) => {
        event.target.disabled = true;
        await call(`/jobs/${state.id}${path}`, { method }).catch((error) => this.say(host, error));
        await this.refresh().catch(() => {});
      } }, text);
      host.replaceChildren(
        element("div", { class: "row" }, element("strong", { class: "grow" }, this.title(state)), element("span", { class: `state ${state.state}` }, state.state)),
        ...(busy || (total && done < total) ? [element("progress", { max: total || 1, ...(done === null && state.state === "running" ? {} : { value: done || 0 }), "aria-label": "Progress" })] : []),
        element("p", { class: state.error ? "error" : "hint" }, state.error ?? (busy ? (total ? `${done} of ${total}` : message || "waiting") : total ? `${done} of ${total} finished` : "")),
        ...(rows.length ? [historyChart(rows, total)] : []),
        element("div", { class: "row" },
          this.actions(state),
          busy ? button("Stop", "POST", "/stop") : null,
          ["stopped", "failed"].includes(state.state) ? button("Go on", "POST", "/resume") : null,
          busy ? null : button("Delete", "DELETE", "", { danger: true })),
      );
    };
    let current = job;
    draw(job);
    if (this.kind === "train" && !BUSY.includes(job.state)) {
      call(`/models/${job.model}`).then(({ history }) => {
        rows.push(...history);
        draw(job);
      }, () => {});
    }
    if (job.state === "running" && this.open.size < STREAMS) {
      let waiting = false;
      const end = follow(job.id, {
        told: (row) => {
          rows.push(row);
          if (waiting) return;
          waiting = true;
          requestAnimationFrame(() => {
            waiting = false;
            draw(current);
          });
        },
        changed: (state) => {
          const ended = BUSY.includes(current.state) && !BUSY.includes(state.state);
          current = state;
          draw(state);
          if (ended) this.finished(state);
        },
      });
      this.open.set(job.id, end);
    }
    return host;
  }

  say(host, error) {
    host.append(element("p", { class: "error", role: "alert" }, error.message));
  }
}

// Names of fields where they are not the words of the option.
const LABELS = {
  dataset: "Data set", kernel_size: "Window", backbone: "Filters are", lr: "Learning rate",
  train_size: "Training images", test_size: "Test images", batch_size: "Images a step", init: "First weights",
  diff_method: "Gradients of shots",
};
// What holds where nothing is chosen.
const EMPTY = { noise: "none", shots: "exact", train_size: "all", test_size: "all" };
const label = (name) => LABELS[name] ?? words(name).replace(/^./, (letter) => letter.toUpperCase());

function input(one, datasets) {
  const { name, kind, least, most, whole } = one;
  const common = { name, title: one.more ? null : one.help || null, "aria-describedby": one.more && one.help ? `${one.form}-${name}-help` : null };
  if (name === "dataset") return element("select", common, datasets.map((data) => element("option", { value: data.name, selected: data.name === one.default, disabled: !data.available }, data.available ? data.name : `${data.name} (not on this server)`)));
  if (kind === "choice") return element("select", common, one.choices.map((value) => element("option", { value, selected: value === one.default }, words(value))));
  if (kind === "switch") return element("input", { ...common, type: "checkbox", checked: one.default });
  if (kind === "number") return element("input", { ...common, type: "number", value: one.default ?? "", min: least, max: most, step: whole ? 1 : "any", required: one.default !== null, placeholder: one.default === null ? EMPTY[name] ?? "by itself" : null });
  return element("input", { ...common, type: "text", value: one.default ?? "", maxlength: 80, placeholder: one.default === null ? EMPTY[name] ?? "by itself" : null });
}

function field(one, datasets) {
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
  const shown = fields.filter((one) => one.name !== "trainable");
  by("fields").replaceChildren(...shown.filter((one) => !one.more).map((one) => field(one, datasets)));
  by("rare").replaceChildren(...shown.filter((one) => one.more).map((one) => field(one, datasets)));
  const form = by("form"), fold = by("more");
  const value = (part) => form.elements[part].value;
  const redraw = () => {
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
  form.addEventListener("change", redraw);
  fold.addEventListener("invalid", () => (fold.open = true), true); // or nobody would see which field it is
  picture?.addEventListener("error", () => (picture.hidden = true));
  picture?.addEventListener("load", () => (picture.hidden = false));
  redraw();
  return fields;
}

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
    if (value !== null && !form.elements[one.name].disabled) found[one.name] = one.many ? [value] : value;
  }
  return found;
}
