// Feature maps in colours, and the window under the pointer: its pixels as angles, its circuit, values and formula.

import { element, isDark } from "./api.js";
import { paint, paintPlanes } from "./pad.js";

const by = (id) => document.getElementById(id);
const PLANES = ["red", "green", "blue"];

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
    this.channel = this.part = 0;
    this.figures = [];
    this.written = null;
    by("filters").replaceChildren();
    by("input").replaceChildren();
    by("input-side").hidden = false;
    by("legend").replaceChildren();
    by("window").hidden = true;
    by("sliders").hidden = layer.channels.length === 0;
    by("circuit").removeAttribute("src");
  }

  // There are none: say why, if somebody knows.
  none(why) {
    this.seen = null;
    this.figures = [];
    by("filters").replaceChildren(element("p", { class: "hint" }, why));
    by("input").replaceChildren();
    by("input-side").hidden = true;
    by("legend").replaceChildren();
    by("window").hidden = by("sliders").hidden = true;
  }

  show(seen) {
    if (!seen || !this.layer) return;
    const before = this.seen;
    this.seen = seen;
    const sameShape = before && before.maps.length === seen.maps.length && this.figures.length;
    if (!sameShape) this.build();
    const most = this.layer.channels.length ? 1 : Math.max(1e-9, ...seen.maps.flat(2).map(Math.abs));
    const colour = colours(Math.max(most, ...seen.maps.flat(2).map(Math.abs).filter((value) => value > most)));
    by("sliders").hidden = this.layer.channels.length === 0;
    by("input-side").hidden = false;
    paintPlanes(this.input.canvas, seen.image);
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

  // Whether the first quantum layer reads the image, and not what other layers make of it.
  get readsImage() {
    return this.layer.kernel_size.length > 0 && this.layer.in_channels === this.seen.image.length;
  }

  // Of the channels that a filter reads, one after the other, as its formula numbers them.
  pixels(row, column) {
    const { kernel_size: [kh, kw] = [1, 1], stride: [sh, sw] = [1, 1], corner: [top, left] = [0, 0], dilation: [dh, dw] = [1, 1] } = this.layer;
    const planes = this.readsImage ? this.layer.channels[this.channel]?.inputs ?? [0] : [0];
    const found = [];
    for (const plane of planes) {
      const image = this.seen.image[plane];
      for (let i = 0; i < kh; i++) {
        for (let j = 0; j < kw; j++) {
          const [y, x] = [row * sh + top + i * dh, column * sw + left + j * dw];
          found.push({ y, x, plane, index: (plane * kh + i) * kw + j, value: image[y]?.[x] ?? 0 });
        }
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
    by("window").hidden = true;
    if (this.readsImage) {
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
    this.tiles(this.pixels(row, column));
    this.circuit(channel);
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
    const most = Math.max(1, ...this.layer.channels.map((one) => (one.filter === channel.filter ? Math.abs(this.seen.maps[one.channel][row][column]) : 0)));
    const own = this.layer.channels.filter((one) => one.filter === channel.filter);
    by("values").replaceChildren(...own.map((one) => {
      const value = this.seen.maps[one.channel][row][column];
      const bar = element("b");
      bar.style.background = `var(--${value < 0 ? "low" : "high"})`;
      bar.style.left = `${50 + 50 * Math.min(0, value / most)}%`;
      bar.style.width = `${50 * Math.abs(value / most)}%`;
      return element("div", { class: one.channel === channel.channel ? "chosen" : "" },
        element("span", {}, `ch${one.channel}`), element("span", { class: "axis" }, bar),
        element("span", { class: "mono" }, value.toFixed(4)));
    }));
  }

  // The pixels of a window, each channel of the image by itself.
  tiles(pixels) {
    const planes = [...new Set(pixels.map(({ plane }) => plane))];
    const names = this.seen.image.length === 3 ? PLANES : planes.map((plane) => `channel ${plane}`);
    by("tiles").replaceChildren(...planes.map((plane) => {
      const tiles = pixels.filter((one) => one.plane === plane).map(({ value, index }) => {
        const tile = element("div", { class: "tile" }, `x${index} = ${value.toFixed(2)}`, element("br"), `${(value * (this.layer.scales[index] ?? 0)).toFixed(2)} rad`);
        const grey = Math.round(255 * Math.min(1, Math.max(0, value)));
        tile.style.background = `rgb(${grey} ${grey} ${grey})`;
        tile.style.color = grey > 127 ? "#111" : "#fff";
        return tile;
      });
      const grid = element("div", { class: "tiles" }, tiles);
      grid.style.gridTemplateColumns = `repeat(${this.layer.kernel_size[1]}, 1fr)`;
      return element("div", {}, this.seen.image.length > 1 ? element("span", { class: "hint" }, names[plane] ?? `channel ${plane}`) : "", grid);
    }));
  }

  // The circuit of a filter; of a filter that sums several, the one that is chosen.
  circuit(channel) {
    const several = channel.circuits.length > 1;
    this.part = Math.min(this.part, channel.circuits.length - 1);
    const read = (part) => (this.seen.image.length === 3 ? PLANES[channel.inputs[part]] : `channel ${channel.inputs[part]}`);
    const place = by("circuit-part");
    place.hidden = !several;
    const choices = channel.circuits.map((_, part) => `on ${read(part)}`);
    if (place.dataset.choices !== choices.join()) {
      place.dataset.choices = choices.join();
      place.replaceChildren(...choices.map((text, part) => element("option", { value: part }, text)));
    }
    place.value = this.part;
    place.onchange = () => {
      this.part = Number(place.value);
      this.circuit(channel);
    };
    const source = `/api/v1/models/${this.model}/circuits/${channel.circuits[this.part]}/picture?dark=${isDark()}`;
    if (by("circuit").getAttribute("src") === source) return;
    // The picture numbers the pixels that this circuit reads from 0; the formula those of the whole window.
    const first = this.part * this.layer.kernel_size[0] * this.layer.kernel_size[1];
    const which = `ircuit of filter ${channel.filter}${several ? `, ${choices[this.part]}` : ""}, with its weights${several && first ? ` (its x0 is x${first})` : ""}`;
    by("circuit").src = source;
    by("circuit").alt = which.replace("ircuit", "Circuit diagram");
    by("circuit-title").textContent = `C${which}`;
  }
}
