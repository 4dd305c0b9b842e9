// Models: a table, one of them in detail, some of them side by side.

import { call, element, follow, known, percent, words } from "./api.js";
import { barChart, historyChart } from "./charts.js";
import { results, score, scoreText, TASKS, taskOf } from "./scores.js";
import { tested } from "./tested.js";

const by = (id) => document.getElementById(id);

const TOLD = new Set(["dataset", "filters", "backbone", "circuit", "encoding", "readout", "kernel_size", "stride", "head", "trainable", "epochs", "seed", "device"]);

// By what the table can be sorted; models of one task stand together, as their results have nothing in common.
const ORDERS = {
  name: (one) => one.name.toLowerCase(),
  data: (one) => one.dataset.toLowerCase(),
  score: (one) => score(one),
  weights: (one) => one.metrics?.parameters?.trainable ?? null,
};

function sorted(models, { by: name, down }) {
  if (!name) return models;
  const tasks = Object.keys(TASKS);
  const compared = (a, b) => {
    if (name === "score" && a.task !== b.task) return tasks.indexOf(a.task) - tasks.indexOf(b.task);
    const [x, y] = [ORDERS[name](a), ORDERS[name](b)];
    if (x === null || y === null) return (x === null) - (y === null); // unknown ones last
    return (x < y ? -1 : Number(x > y)) * (down ? -1 : 1);
  };
  return [...models].sort(compared);
}

export function start() {
  let models = [];
  let current = null;
  let order = { by: null, down: false }; // newest first
  const marked = new Set();
  // A number of a model's results: unknown where a finished model has none, and not there yet of others.
  const result = (one, read, write) => (one.metrics || one.state === "ready" ? known(one.metrics ? read(one.metrics) : null, write) : "–");
  const count = (value) => value.toLocaleString("en");
  const seconds = (value) => `${value.toFixed(1)} s`;
  // No validation is null; one that nobody has written down is unknown.
  const validation = (one) => {
    const { valid, writeValid } = taskOf(one);
    return one.metrics?.[valid] === null ? "–" : result(one, (m) => m[valid], writeValid);
  };

  function columns() {
    return [["Model", "name"], ["Data", "data"], ["Test result", "score", "number"], ["Trained weights", "weights", "number"]].map(([text, name, kind]) => {
      const sorts = order.by === name ? (order.down ? "descending" : "ascending") : "none";
      const sort = () => {
        const down = order.by === name ? !order.down : ["score", "weights"].includes(name); // the best or largest first
        order = { by: name, down };
        table();
        by("models-table").querySelector(`[data-sort="${name}"]`).focus();
      };
      return element("th", { scope: "col", class: kind ?? "", "aria-sort": sorts },
        element("button", { type: "button", class: "sort", "data-sort": name, onclick: sort }, text, element("span", { "aria-hidden": "true" }, { none: "", ascending: " ▲", descending: " ▼" }[sorts])));
    });
  }

  function table() {
    if (!models.length) {
      by("models-table").replaceChildren(element("p", { class: "empty" }, "There is no model yet: ", element("a", { href: "#train" }, "train one"), "."));
      by("models-compare").replaceChildren();
      return;
    }
    const rows = sorted(models, order).map((one) => element("tr", { class: one.id === current ? "chosen" : "" },
      element("td", {}, element("input", { type: "checkbox", "aria-label": `Compare ${one.name}`, checked: marked.has(one.id), disabled: one.state !== "ready", onchange: (event) => {
        if (event.target.checked) marked.add(one.id);
        else marked.delete(one.id);
        compare();
      } })),
      element("td", {}, element("button", { type: "button", class: "link", "aria-pressed": String(one.id === current), onclick: () => (window.location.hash = `models/${one.id}`) }, one.name)),
      element("td", {}, one.dataset),
      element("td", { class: "number" }, one.metrics || one.state === "ready" ? scoreText(one) : "–"),
      element("td", { class: "number" }, result(one, (m) => m.parameters?.trainable, count)),
      element("td", {}, element("span", { class: `state ${one.state}` }, one.state))));
    by("models-table").replaceChildren(element("table", {},
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, element("span", { class: "visually-hidden" }, "Compare")),
        ...columns(), element("th", { scope: "col" }, "State"))),
      element("tbody", {}, rows)));
    compare();
  }

  function compare() {
    const chosen = models.filter((one) => marked.has(one.id) && one.state === "ready");
    const place = by("models-compare");
    if (chosen.length < 2) {
      place.replaceChildren(element("p", { class: "hint" }, models.filter((one) => one.state === "ready").length > 1 ? "Mark two or more to see them side by side." : ""));
      return;
    }
    // Of the other settings those that tell the models apart.
    const settings = [...new Set(chosen.flatMap((one) => Object.keys(one.settings)))].filter((name) => !TOLD.has(name));
    const text = (one, name) => String(one.settings[name] ?? "by itself");
    const others = settings.filter((name) => new Set(chosen.map((one) => text(one, name))).size > 1);
    const line = (label, value) => element("tr", {}, element("th", { scope: "row" }, label), chosen.map((one) => element("td", {}, String(value(one)))));
    const tasks = Object.keys(TASKS).filter((name) => chosen.some((one) => one.task === name));
    const measured = chosen.map(results);
    const measures = [...new Set(measured.flatMap((found) => [...found.keys()]))];
    place.replaceChildren(
      element("h2", {}, "Side by side"),
      ...tasks.flatMap((name) => {
        const ones = chosen.filter((one) => one.task === name);
        return [
          tasks.length > 1 ? element("h3", {}, TASKS[name].name) : "",
          barChart(ones.map((one) => one.name), ones.map(score), TASKS[name].write),
        ];
      }),
      element("p", { class: "hint" }, "One training each, on the test images: a difference here may be chance. ", element("a", { href: "#verdict" }, "A verdict"), " takes seeds and controls."),
      element("div", { class: "scroll", tabindex: 0, "aria-label": "Settings side by side" }, element("table", {},
        element("thead", {}, element("tr", {}, element("th", { scope: "col" }, ""), chosen.map((one) => element("th", { scope: "col" }, one.name)))),
        element("tbody", {},
          ...measures.map((name) => element("tr", {}, element("th", { scope: "row" }, name), measured.map((found) => element("td", {}, found.get(name) ?? "–")))),
          line("Filters", (one) => known(one.settings.filters, (filters) => `${filters} × ${one.settings.backbone === "quantum" ? words(one.settings.circuit) : one.settings.backbone}`)),
          line("Encoding, readout", (one) => known(one.settings.encoding, (encoding) => `${encoding}, ${one.settings.readout}`)),
          line("Window, stride", (one) => known(one.settings.kernel_size, (size) => `${size}, ${one.settings.stride}`)),
          line("Head", (one) => known(one.settings.head)),
          line("Circuits", (one) => known(one.settings.trainable, (trained) => (trained ? "trained" : "fixed"))),
          line("Epochs", (one) => known(one.settings.epochs)),
          line("Seed", (one) => known(one.settings.seed)),
          ...others.map((name) => line(words(name).replace(/^./, (letter) => letter.toUpperCase()), (one) => text(one, name))),
          line(tasks.includes("regression") ? "Validation" : "Validation accuracy", validation),
          line("Training", (one) => result(one, (m) => m.seconds, seconds))))));
  }

  function confusion({ confusion: matrix, classes }) {
    const style = getComputedStyle(document.documentElement);
    const colour = style.getPropertyValue("--accent").trim();
    const rows = matrix.map((row, i) => element("tr", {}, element("th", { scope: "row" }, classes[i]), row.map((count, j) => {
      const share = count / (row.reduce((a, b) => a + b, 0) || 1);
      const cell = element("td", { title: `${classes[i]} taken for ${classes[j]}: ${count}` }, count ? String(count) : "");
      cell.style.background = count ? `color-mix(in srgb, ${colour} ${Math.round(12 + 88 * share)}%, transparent)` : "var(--page)";
      if (share > 0.45) cell.style.color = "var(--on-accent)";
      return cell;
    })));
    return element("div", { class: "scroll", tabindex: 0, "aria-label": "Confusion matrix" }, element("table", { class: "confusion" },
      element("caption", { class: "visually-hidden" }, "Rows: the true class; columns: the answer"),
      element("tbody", {}, element("tr", {}, element("td"), classes.map((name) => element("th", { scope: "col" }, name))), rows)));
  }

  async function detail(id) {
    current = id;
    const place = by("model-detail");
    const one = await call(`/models/${id}`);
    const error = element("p", { class: "error", role: "alert", hidden: true });
    const fail = (problem) => {
      error.hidden = false;
      error.textContent = problem.message;
    };
    const fact = (name, value) => element("div", {}, element("dt", {}, name), element("dd", {}, value));
    const m = one.metrics;
    const ready = one.state === "ready";
    // A button that makes something by a job, and then shows it.
    const made = (text, kind, there, show) => element("button", { type: "button", onclick: async (event) => {
      if (there) return show();
      event.target.disabled = true;
      event.target.textContent = `${text}: being made…`;
      try {
        const job = await call("/jobs", { method: "POST", json: { kind, model: id } });
        follow(job.id, { changed: (state) => {
          if (state.state === "done") detail(id).then(show, fail);
          else if (["failed", "stopped"].includes(state.state)) {
            fail(new Error(state.error ?? "It was stopped."));
            event.target.disabled = false;
            event.target.textContent = text;
          }
        } });
      } catch (problem) {
        fail(problem);
        event.target.disabled = false;
      }
      return null;
    } }, text);
    const report = () => {
      const frame = by("model-report");
      frame.hidden = false;
      frame.replaceChildren(
        element("div", { class: "row" }, element("h2", { class: "grow" }, `Explanation of ${one.name}`), element("a", { class: "button", href: `/api/v1/models/${id}/explanation`, target: "_blank", rel: "noopener" }, "Open alone")),
        element("iframe", { src: `/api/v1/models/${id}/explanation`, title: "Explanation", sandbox: "" }));
      frame.scrollIntoView({ block: "start" });
    };
    const quantum = ["quantum", "unentangled"].includes(one.settings.backbone ?? "quantum");
    place.replaceChildren(...[
      element("h2", {}, one.name),
      element("p", { class: "hint" }, `${one.dataset} · ${one.id} · ${new Date(1000 * one.created).toLocaleString()}`),
      m || ready ? element("dl", { class: "facts" },
        ...(one.task === "classification"
          ? [fact("Test accuracy", percent(m?.test_accuracy)), fact("Right", known(m?.test_right, (right) => `${right} of ${known(m.n_test)}`))]
          : taskOf(one).facts.map(([name, key, write]) => fact(name, m?.[key] === null ? "–" : known(m?.[key], write)))),
        fact(one.task === "regression" ? "Validation R²" : "Validation", validation(one)),
        fact("Weights", known(m?.parameters?.total, count)), fact("of circuits", known(m?.parameters?.quantum, count)),
        fact("Training", known(m?.seconds, seconds))) : element("p", {}, "Not trained yet: ", element("a", { href: "#train" }, "see its training"), "."),
      element("div", { class: "row" },
        ready ? element("a", { class: "button", href: `#draw/${id}` }, one.drawable ? "Draw with it" : "Try it") : null,
        ready && quantum && one.explainable ? made("Explanation", "explain", one.explanation, report) : null,
        ready ? element("a", { class: "button", href: `/api/v1/models/${id}/download`, download: true }, "Folder (ZIP)") : null,
        ready && one.explainable ? made("ONNX", "onnx", one.onnx, () => (window.location.href = `/api/v1/models/${id}/onnx`)) : null,
        element("button", { type: "button", onclick: async () => {
          const name = window.prompt("Another name for this model:", one.name);
          if (name) await call(`/models/${id}`, { method: "PATCH", json: { name } }).then(() => enter(id), fail);
        } }, "Rename"),
        element("button", { type: "button", class: "danger", onclick: async () => {
          if (!window.confirm(`Delete the model “${one.name}” with its files?`)) return;
          await call(`/models/${id}`, { method: "DELETE" }).then(() => {
            current = null;
            marked.delete(id);
            by("model-report").hidden = true;
            place.replaceChildren(element("p", { class: "empty" }, "Choose a model to see its results."));
            window.location.hash = "models";
            return enter("");
          }, fail);
        } }, "Delete")),
      error,
      ready && !one.explainable ? element("p", { class: "hint" }, "Explanations and ONNX files are made of classifiers of one label an image.") : null,
      ...tested(one),
      m?.confusion ? element("h3", {}, "Which classes are taken for which") : null,
      m?.confusion ? confusion(m) : null,
      one.history.length ? element("h3", {}, "Training") : null,
      one.history.length ? historyChart(one.history, one.history.length) : null,
    ].filter(Boolean));
    table();
  }

  async function enter(wanted) {
    models = await call("/models");
    if (wanted !== current) by("model-report").hidden = true;
    if (models.some((one) => one.id === wanted)) return detail(wanted);
    return table();
  }

  return { enter: (wanted) => enter(wanted).catch(() => {}) };
}
