// Lists of jobs that follow themselves: progress, charts, and buttons to stop, go on and delete.

import { call, element, follow } from "./api.js";
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

// Fields of a form about circuits, the same for training and comparing.
export async function circuitFields(place, form, picture, summary, more) {
  const [data, parts] = await Promise.all([call("/datasets"), call("/circuits")]);
  const select = (name, label, options, chosen) => element("label", {}, element("span", {}, label),
    element("select", { name }, options.map(([value, text, off]) => element("option", { value, selected: value === chosen, disabled: off }, text))));
  const number = (name, label, value, min, max, step = 1) => element("label", {}, element("span", {}, label),
    element("input", { type: "number", name, value, min, max, step, required: value !== "" }));
  const names = (table) => Object.keys(table).map((name) => [name, name.replaceAll("_", " ")]);
  place.replaceChildren(
    select("dataset", "Data set", data.map((one) => [one.name, one.available ? one.name : `${one.name} (not on this server)`, !one.available]), "digits"),
    select("circuit", "Circuit", names(parts.circuits), "strongly_entangling"),
    select("encoding", "Encoding", names(parts.encodings), "ry"),
    select("readout", "Readout", names(parts.readouts), "z"),
    number("layers", "Layers", 2, 1, 8), number("filters", "Filters", 4, 1, 64),
    number("kernel_size", "Window", 2, 1, 5), number("stride", "Stride", 2, 1, 8),
    select("head", "Head", [["linear", "linear"], ["mlp", "mlp"], ["cnn", "cnn"], ["quantum", "quantum"]], "linear"),
    ...more(select, number, parts),
  );
  const value = (name) => form.elements[name].value;
  const redraw = () => {
    if (summary) summary.textContent = parts.circuits[value("circuit")] ?? "";
    if (!picture) return;
    const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    const window_ = Math.min(3, Number(value("kernel_size")) || 2);
    picture.src = `/api/v1/circuits/${value("circuit")}/picture?encoding=${value("encoding")}&readout=${value("readout")}&layers=${value("layers") || 1}&kernel_size=${window_}&dark=${dark}`;
    picture.alt = `Circuit diagram: ${value("circuit").replaceAll("_", " ")}, encoding ${value("encoding")}, readout ${value("readout")}`;
  };
  form.addEventListener("change", redraw);
  picture?.addEventListener("error", () => (picture.hidden = true));
  picture?.addEventListener("load", () => (picture.hidden = false));
  redraw();
  return parts;
}

export function settingsOf(form, numbers) {
  const found = {};
  for (const [name, value] of new FormData(form)) {
    if (value === "" || name === "control") continue;
    found[name] = numbers.has(name) ? Number(value) : value;
  }
  found.trainable = form.elements.trainable.checked;
  return found;
}

export const NUMBERS = new Set(["layers", "filters", "kernel_size", "stride", "epochs", "batch_size", "lr", "seed", "seeds", "train_size"]);
