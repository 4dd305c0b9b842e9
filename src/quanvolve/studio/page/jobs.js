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
        element("p", { class: state.error ? "error" : "hint" }, state.error ?? (busy ? (total ? `${done} of ${total}` : message || "waiting") : total ? `${done} of ${total} finished${state.state === "done" && message ? `: ${message}` : ""}` : "")),
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
