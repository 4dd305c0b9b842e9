// Feature maps in colours, and the window under the pointer: its pixels as angles, its circuit, values and formula.

import { element, isDark } from "./api.js";
import { paint } from "./pad.js";

const by = (id) => document.getElementById(id);

function rgb(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
}

// Blue below zero, orange above.
function colours(most) {
  const [low, zero, high] = ["--low", "--zero", "--high"].map(rgb);
  return (value) => {
    const share = Math.max(-1, Math.min(1, value / most));
    const end = share < 0 ? low : high;
    return zero.map((from, i) => from + (end[i] - from) * Math.abs(share));
  };
}

export class Maps {
  constructor() {
    this.layer = null;
    this.seen = null;
    this.at = null; // row and column of the window
    this.channel = 0;
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.show(this.seen));
  }

  // Another model.
  use(model, layer) {
    this.model = model;
    this.layer = layer;
    this.seen = this.at = null;
    this.channel = 0;
    this.figures = [];
    by("filters").replaceChildren();
    by("input").replaceChildren();
    by("legend").replaceChildren();
    by("window").hidden = true;
    by("sliders").hidden = layer.channels.length === 0;
    by("circuit").removeAttribute("src");
  }

  show(seen) {
    if (!seen || !this.layer) return;
    const before = this.seen;
    this.seen = seen;
    const sameShape = before && before.maps.length === seen.maps.length && this.figures.length;
    if (!sameShape) this.build();
    const most = this.layer.channels.length ? 1 : Math.max(1e-9, ...seen.maps.flat(2).map(Math.abs));
    const colour = colours(Math.max(most, ...seen.maps.flat(2).map(Math.abs).filter((value) => value > most)));
    paint(this.input.canvas, seen.image[0], (value) => [255 * value, 255 * value, 255 * value]);
    this.figures.forEach((figure, channel) => paint(figure.canvas, seen.maps[channel], colour));
    by("legend").replaceChildren(
      element("span", {}, most === 1 ? "−1" : (-most).toFixed(1)), element("i"),
      element("span", {}, most === 1 ? "+1" : most.toFixed(1)),
      element("span", {}, this.layer.channels.length ? "expectation value of each channel" : "value of each channel"),
    );
    if (!this.at) this.at = this.brightest();
    this.mark();
  }

  build() {
    const make = (host, label, channel) => {
      const canvas = element("canvas", { "aria-hidden": "true" });
      const marker = element("span", { class: "marker", hidden: true });
      const button = element("button", { type: "button", "aria-label": label }, canvas);
      host.classList.add("map");
      host.replaceChildren(button, marker, element("figcaption", {}, channel === null ? "image" : `${channel}`));
      const found = { host, canvas, marker, channel };
      const point = (event) => this.point(found, event);
      button.addEventListener("pointermove", point);
      button.addEventListener("pointerdown", point);
      button.addEventListener("focus", () => this.choose(channel));
      button.addEventListener("keydown", (event) => this.key(event));
      return found;
    };
    this.input = make(by("input"), "The image: arrow keys move the window", null);
    this.figures = [];
    const groups = new Map();
    const channels = this.layer.channels.length
      ? this.layer.channels : this.seen.maps.map((_, channel) => ({ channel, filter: Math.floor(channel / 4) }));
    for (const one of channels) {
      if (!groups.has(one.filter)) groups.set(one.filter, []);
      groups.get(one.filter).push(one);
    }
    by("filters").replaceChildren(...[...groups].map(([filter, ones]) => element("div", { class: "filter", role: "group", "aria-label": `Filter ${filter}` },
      element("span", {}, this.layer.channels.length ? `filter ${filter}` : ""),
      element("div", { class: "channels" }, ones.map((one) => {
        const host = element("figure", {});
        this.figures[one.channel] = make(host, `Channel ${one.channel}: arrow keys move the window`, one.channel);
        return host;
      })))));
  }

  get size() {
    return [this.seen.maps[0].length, this.seen.maps[0][0].length];
  }

  // The window with most contrast is the one with most to show.
  brightest() {
    let best = [0, 0];
    let most = -1;
    const [rows, columns] = this.size;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const pixels = this.pixels(r, c).map((one) => one.value);
        const spread = Math.max(...pixels, 0) - Math.min(...pixels, 0) + 0.01 * pixels.reduce((a, b) => a + b, 0);
        if (spread > most) [most, best] = [spread, [r, c]];
      }
    }
    return best;
  }

  pixels(row, column) {
    const { kernel_size: [kh, kw] = [1, 1], stride: [sh, sw] = [1, 1], corner: [top, left] = [0, 0], dilation: [dh, dw] = [1, 1] } = this.layer;
    const image = this.seen.image[0];
    const found = [];
    for (let i = 0; i < kh; i++) {
      for (let j = 0; j < kw; j++) {
        const [y, x] = [row * sh + top + i * dh, column * sw + left + j * dw];
        found.push({ y, x, value: image[y]?.[x] ?? 0 });
      }
    }
    return found;
  }

  point(figure, event) {
    if (!this.seen) return;
    const box = figure.canvas.getBoundingClientRect();
    const [rows, columns] = this.size;
    let [y, x] = [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
    if (figure.channel === null && this.layer.stride.length) {
      const image = this.seen.image[0];
      y = (y * image.length - this.layer.corner[0]) / this.layer.stride[0] / rows;
      x = (x * image[0].length - this.layer.corner[1]) / this.layer.stride[1] / columns;
    }
    const inside = (share, count) => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
    this.at = [inside(y, rows), inside(x, columns)];
    this.choose(figure.channel);
  }

  key(event) {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (!(event.key in steps) || !this.at) return;
    event.preventDefault();
    this.at = this.at.map((value, axis) => Math.max(0, Math.min(this.size[axis] - 1, value + steps[event.key][axis])));
    this.mark();
  }

  choose(channel) {
    if (channel !== null) this.channel = channel;
    this.mark();
  }

  mark() {
    if (!this.at || !this.seen) return;
    const [rows, columns] = this.size;
    const put = ({ marker }, y, x, height, width) => {
      marker.hidden = false;
      Object.assign(marker.style, { top: `${100 * y}%`, left: `${100 * x}%`, height: `${100 * height}%`, width: `${100 * width}%` });
    };
    const scaleOf = (figure) => figure.canvas.offsetHeight / figure.host.offsetHeight || 1;
    this.figures.forEach((figure, channel) => {
      const share = scaleOf(figure);
      put(figure, (this.at[0] / rows) * share, this.at[1] / columns, share / rows, 1 / columns);
      figure.host.classList.toggle("chosen", channel === this.channel);
    });
    if (this.layer.kernel_size.length) {
      const image = this.seen.image[0];
      const all = this.pixels(...this.at);
      const share = scaleOf(this.input);
      const [first, last] = [all[0], all[all.length - 1]];
      put(this.input, (Math.max(0, first.y) / image.length) * share, Math.max(0, first.x) / image[0].length,
        ((Math.min(image.length, last.y + 1) - Math.max(0, first.y)) / image.length) * share,
        (Math.min(image[0].length, last.x + 1) - Math.max(0, first.x)) / image[0].length);
      this.explain();
    }
  }

  explain() {
    const channel = this.layer.channels[this.channel];
    by("window").hidden = !channel;
    if (!channel) return;
    const [row, column] = this.at;
    by("window-title").textContent = `Window in row ${row}, column ${column}: channel ${channel.channel}`;
    const tiles = by("tiles");
    tiles.style.gridTemplateColumns = `repeat(${this.layer.kernel_size[1]}, 1fr)`;
    tiles.replaceChildren(...this.pixels(row, column).map(({ value }, index) => {
      const tile = element("div", { class: "tile" }, `x${index} = ${value.toFixed(2)}`, element("br"), `${(value * (this.layer.scales[index] ?? 0)).toFixed(2)} rad`);
      const grey = Math.round(255 * Math.min(1, value));
      tile.style.background = `rgb(${grey} ${grey} ${grey})`;
      tile.style.color = grey > 127 ? "#111" : "#fff";
      return tile;
    }));
    const source = `/api/v1/models/${this.model}/circuits/${channel.filter}/picture?dark=${isDark()}`;
    if (by("circuit").getAttribute("src") !== source) {
      by("circuit").src = source;
      by("circuit").alt = `Circuit diagram of filter ${channel.filter}, with its weights`;
      by("circuit-title").textContent = `Circuit of filter ${channel.filter}, with its weights`;
    }
    by("formula-title").textContent = `Formula of channel ${channel.channel}`;
    const pretty = (text) => text.replaceAll("pi ", "π ").replaceAll(" - ", " − ").replaceAll("x", "x\u2060");
    if (this.written !== channel) {
      this.written = channel;
      const short = channel.main !== channel.formula;
      by("formula").replaceChildren(...(channel.formula ? [
        element("p", { class: "formula mono" }, pretty(channel.main), short ? " + …" : ""),
        short ? element("details", {}, element("summary", {}, `The other terms change a value by ${channel.main_error.toFixed(2)} at most: all ${channel.terms} terms`),
          element("p", { class: "formula mono" }, pretty(channel.formula))) : "",
      ] : [element("p", { class: "formula" }, `No closed form: ${channel.why_not}`)]));
    }
    const own = this.layer.channels.filter((one) => one.filter === channel.filter);
    by("values").replaceChildren(...own.map((one) => {
      const value = this.seen.maps[one.channel][row][column];
      const bar = element("b");
      bar.style.background = `var(--${value < 0 ? "low" : "high"})`;
      bar.style.left = `${50 + 50 * Math.min(0, Math.max(-1, value))}%`;
      bar.style.width = `${50 * Math.min(1, Math.abs(value))}%`;
      return element("div", { class: one.channel === channel.channel ? "chosen" : "" },
        element("span", {}, `ch${one.channel}`), element("span", { class: "axis" }, bar),
        element("span", { class: "mono" }, value.toFixed(4)));
    }));
  }
}
