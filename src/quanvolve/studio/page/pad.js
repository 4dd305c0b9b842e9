// The canvas that people draw on: bright strokes on black, with undo, and whatever else is put onto it.

const SENT = 56; // pixels of a side that the server gets

export class Pad {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.changed = changed;
    this.past = [];
    this.last = null;
    this.colour = "#ffffff";
    this.inColour = false; // whether pictures stay as they are, and all three channels are sent
    this.clear(false);
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (this.last = null));
  }

  remember() {
    this.past.push(this.context.getImageData(0, 0, this.canvas.width, this.canvas.height));
    if (this.past.length > 30) this.past.shift();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const factor = this.canvas.width / box.width;
    return [(event.clientX - box.left) * factor, (event.clientY - box.top) * factor];
  }

  down(event) {
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.remember();
    this.last = this.place(event);
    this.stroke(this.last);
  }

  move(event) {
    if (!this.last) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) this.stroke(this.place(one));
  }

  stroke(to) {
    const context = this.context;
    context.strokeStyle = this.inColour ? this.colour : "#fff";
    context.lineWidth = this.canvas.width * 0.085;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...this.last);
    context.lineTo(to[0] + 0.01, to[1]);
    context.stroke();
    this.last = to;
    this.changed();
  }

  clear(tell = true) {
    if (tell) this.remember();
    this.context.fillStyle = "#000";
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    if (tell) this.changed();
  }

  undo() {
    const before = this.past.pop();
    if (!before) return;
    this.context.putImageData(before, 0, 0);
    this.changed();
  }

  // Rows of brightness in [0, 1], three planes of them, or a picture: shown as large as it fits.
  show(source, tell = true) {
    this.remember();
    this.clear(false);
    let drawn = source;
    let [wide, tall] = [source.width, source.height];
    if (Array.isArray(source)) {
      drawn = document.createElement("canvas");
      paintPlanes(drawn, Array.isArray(source[0][0]) ? source : [source]);
      [wide, tall] = [drawn.width, drawn.height];
    }
    const factor = this.canvas.width / Math.max(wide, tall);
    const [width, height] = [wide * factor, tall * factor];
    this.context.imageSmoothingEnabled = !Array.isArray(source);
    // Dark strokes on bright paper become what is drawn here: bright ones on black.
    this.context.filter = Array.isArray(source) || this.inColour || !this.bright(drawn) ? "none" : "invert(1) grayscale(1)";
    this.context.drawImage(drawn, (this.canvas.width - width) / 2, (this.canvas.height - height) / 2, width, height);
    this.context.filter = "none";
    if (tell) this.changed();
  }

  // Whether a picture's border is more white than black; what is transparent counts as white.
  bright(picture) {
    const small = document.createElement("canvas");
    small.width = small.height = 16;
    const context = small.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, 16, 16);
    context.drawImage(picture, 0, 0, 16, 16);
    const data = context.getImageData(0, 0, 16, 16).data;
    const border = [];
    for (let i = 0; i < 256; i++) {
      const [x, y] = [i % 16, Math.floor(i / 16)];
      if (x === 0 || y === 0 || x === 15 || y === 15) border.push(data[4 * i] + data[4 * i + 1] + data[4 * i + 2]);
    }
    return border.sort((a, b) => a - b)[border.length / 2] > 382;
  }

  get empty() {
    const pixels = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height).data;
    for (let i = 0; i < pixels.length; i += 16) if (Math.max(pixels[i], pixels[i + 1], pixels[i + 2]) > 40) return false;
    return true;
  }

  // Brightness, 0 to 255, each pixel the mean of a square of the canvas; in colour three planes of it.
  pixels() {
    return this.inColour ? [[1, 0, 0], [0, 1, 0], [0, 0, 1]].map((shares) => this.plane(shares)) : this.plane([0.299, 0.587, 0.114]);
  }

  plane([red, green, blue]) {
    const size = this.canvas.width;
    const step = size / SENT;
    const data = this.context.getImageData(0, 0, size, size).data;
    const rows = [];
    for (let y = 0; y < SENT; y++) {
      const row = [];
      for (let x = 0; x < SENT; x++) {
        let sum = 0;
        for (let j = 0; j < step; j++) {
          for (let i = 0; i < step; i++) {
            const at = 4 * ((y * step + j) * size + x * step + i);
            sum += red * data[at] + green * data[at + 1] + blue * data[at + 2];
          }
        }
        row.push(Math.round(sum / (step * step)));
      }
      rows.push(row);
    }
    return rows;
  }
}

// One plane of brightness in [0, 1] in grey, three in colour.
export function paintPlanes(canvas, planes) {
  const [red, green, blue] = planes.length === 3 ? planes : [planes[0], planes[0], planes[0]];
  canvas.height = red.length;
  canvas.width = red[0].length;
  const image = new ImageData(canvas.width, canvas.height);
  red.forEach((row, y) => row.forEach((value, x) => image.data.set([255 * value, 255 * green[y][x], 255 * blue[y][x], 255], 4 * (y * canvas.width + x))));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export function paint(canvas, rows, colour) {
  canvas.height = rows.length;
  canvas.width = rows[0].length;
  const image = new ImageData(canvas.width, canvas.height);
  rows.flat().forEach((value, index) => {
    const [red, green, blue] = colour(value);
    image.data.set([red, green, blue, 255], 4 * index);
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}
