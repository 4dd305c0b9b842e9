// Small charts, drawn as SVG.

import { known, percent } from "./api.js";

const NS = "http://www.w3.org/2000/svg";

function svg(tag, attributes = {}, text = "") {
  const found = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, value);
  if (text) found.textContent = text;
  return found;
}

// What the validation data give after an epoch: its title, and how it is written at the axis and in words.
const SCORES = {
  valid_accuracy: ["validation accuracy", (share) => `${Math.round(100 * share)} %`, percent],
  valid_r2: ["validation R²", (value) => value.toFixed(1), (value) => known(value, () => value.toFixed(3))],
};

// Loss and accuracy (or R²) of the epochs, each with an axis of its own.
export function historyChart(rows, total) {
  const [wide, tall, left, right, top, bottom] = [520, 210, 40, 46, 22, 26];
  const chart = svg("svg", { class: "chart", viewBox: `0 0 ${wide} ${tall}`, role: "img" });
  const last = rows[rows.length - 1];
  const score = rows.some((row) => "valid_r2" in row) ? "valid_r2" : "valid_accuracy";
  const [title, brief, inWords] = SCORES[score];
  const say = last ? `after ${rows.length} epochs: training loss ${known(last.train_loss, (loss) => loss.toFixed(3))}${last[score] === null ? "" : `, ${title} ${inWords(last[score])}`}` : "no epoch yet";
  chart.setAttribute("aria-label", `Training, ${say}`);
  const epochs = Math.max(total || 0, rows.length, 2);
  const x = (epoch) => left + ((epoch - 1) / (epochs - 1)) * (wide - left - right);
  const losses = rows.map((row) => row.train_loss).filter(Number.isFinite);
  const most = Math.max(...losses, 0.1);
  const scores = rows.map((row) => row[score]).filter((value) => value !== null && value !== undefined);
  const least = Math.max(-1, Math.min(0.9, ...scores.map((value) => Math.floor(value * 10) / 10)));  // R² may be anything below
  const y = (share) => top + (1 - share) * (tall - top - bottom);
  for (const share of [0, 0.5, 1]) {
    chart.append(svg("line", { class: "grid", x1: left, x2: wide - right, y1: y(share), y2: y(share) }));
    chart.append(svg("text", { class: "low-text", x: left - 6, y: y(share) + 4, "text-anchor": "end" }, (share * most).toFixed(most < 0.2 ? 2 : 1)));
    if (scores.length) chart.append(svg("text", { class: "high-text", x: wide - right + 6, y: y(share) + 4 }, brief(least + share * (1 - least))));
  }
  chart.append(svg("text", { class: "low-text", x: left, y: 12 }, "training loss"));
  if (scores.length) chart.append(svg("text", { class: "high-text", x: wide - right, y: 12, "text-anchor": "end" }, title));
  for (const epoch of new Set([1, Math.round((1 + epochs) / 2), epochs])) chart.append(svg("text", { x: x(epoch), y: tall - 8, "text-anchor": "middle" }, epoch));
  const line = (name, points) => {
    if (!points.length) return;
    chart.append(svg("polyline", { class: name, points: points.map((point) => point.join(",")).join(" ") }));
    const [end] = points.slice(-1);
    chart.append(svg("circle", { class: `${name}-dot`, cx: end[0], cy: end[1], r: 3.5 }));
  };
  line("loss", rows.filter((row) => Number.isFinite(row.train_loss)).map((row) => [x(row.epoch), y(row.train_loss / most)]));
  line("accuracy", rows.filter((row) => Number.isFinite(row[score])).map((row) => [x(row.epoch), y((Math.max(least, row[score]) - least) / (1 - least || 1))]));
  return chart;
}

// Accuracies, or other scores of which 1 is the best, as bars from a common start that is written down; an unknown one
// has none.
export function barChart(names, values, write = percent) {
  const least = Math.max(0, Math.floor(10 * Math.min(1, ...values.filter(Number.isFinite)) - 0.5) / 10);
  const axis = write === percent ? (value) => `${Math.round(100 * value)} %` : (value) => value.toFixed(1);
  const say = (value) => known(value, write);
  const [wide, row, left] = [520, 34, 190];
  const chart = svg("svg", { class: "chart", viewBox: `0 0 ${wide} ${row * names.length + 22}`, role: "img" });
  chart.setAttribute("aria-label", names.map((name, i) => `${name}: ${say(values[i])}`).join("; "));
  const x = (value) => left + ((Math.max(least, value) - least) / (1 - least || 1)) * (wide - left - 60);
  names.forEach((name, i) => {
    chart.append(svg("text", { class: "ink", x: left - 8, y: i * row + 20, "text-anchor": "end" }, name.length > 30 ? `${name.slice(0, 29)}…` : name));
    if (!Number.isFinite(values[i])) {
      chart.append(svg("text", { class: "ink", x: left + 6, y: i * row + 20 }, say(values[i])));
      return;
    }
    chart.append(svg("rect", { class: "bar", x: left, y: i * row + 6, width: Math.max(1, x(values[i]) - left), height: 20, rx: 3 }));
    chart.append(svg("text", { class: "ink", x: x(values[i]) + 6, y: i * row + 20 }, say(values[i])));
  });
  chart.append(svg("text", { x: left, y: row * names.length + 16 }, axis(least)));
  chart.append(svg("text", { x: x(1), y: row * names.length + 16, "text-anchor": "end" }, axis(1)));
  return chart;
}
