// Drawing: every stroke goes to the server, and what the model sees and says comes back.

import { call, complain, element, follow, percent } from "./api.js";
import { Maps } from "./maps.js";
import { Pad } from "./pad.js";

const by = (id) => document.getElementById(id);
const PICTURES = "image/png,image/jpeg,image/bmp,image/gif,image/webp";
const SHOTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 10000, null];

export function start() {
  const maps = new Maps();
  let model = null; // what is drawn for
  let busy = false;
  let again = false;
  let exact = null; // a test image as it is, until something is drawn
  let unfollow = null;
  const pad = new Pad(by("pad"), () => {
    exact = null;
    look();
  });

  const noise = () => Number(by("noise").value) / 200;
  const shots = () => SHOTS[Number(by("shots").value)];

  async function look() {
    by("noise-value").textContent = noise() ? `${(100 * noise()).toFixed(1)} %` : "none";
    by("shots-value").textContent = shots() ?? "exact";
    if (!model) return;
    if (busy) {
      again = true;
      return;
    }
    if (!exact && pad.empty) {
      by("answer").replaceChildren(element("span", { class: "hint" }, "Draw something, or choose a test image."));
      by("bars").replaceChildren();
      return;
    }
    busy = true;
    const asked = model.id;
    try {
      const seen = await call(`/models/${asked}/feature-maps`, {
        method: "POST",
        json: { image: exact ?? pad.pixels(), drawing: !exact, noise: noise(), shots: shots(), seed: Math.floor(Math.random() * 2 ** 31) },
      });
      if (model?.id === asked) {
        complain(by("maps-error"), null);
        maps.show(seen);
        answer(seen);
      }
    } catch (error) {
      if (error.status !== 0) complain(by("maps-error"), error);
    }
    busy = false;
    if (again) {
      again = false;
      look();
    }
  }

  function answer(seen) {
    const best = seen.probabilities.indexOf(Math.max(...seen.probabilities));
    by("answer").classList.toggle("long", seen.classes[best].length > 3);
    by("answer").replaceChildren(element("strong", {}, seen.classes[best]), element("span", {}, percent(seen.probabilities[best])));
    by("bars").replaceChildren(...seen.classes.map((name, index) => {
      const fill = element("span", { class: "fill" });
      fill.style.width = `${100 * seen.probabilities[index]}%`;
      return element("li", { class: index === best ? "best" : "" }, element("span", {}, name),
        element("span", { class: "track" }, fill), element("span", { class: "number" }, percent(seen.probabilities[index])));
    }));
    by("time").textContent = seen.milliseconds === undefined ? "" : `The model took ${seen.milliseconds.toFixed(1)} ms.`;
  }

  async function choose(id) {
    const [found, layer] = await Promise.all([call(`/models/${id}`), call(`/models/${id}/layer`)]);
    model = found;
    maps.use(id, layer);
    by("draw-model").value = id;
    const rows = await call(`/datasets/${found.dataset}/samples?count=20`).catch(() => []);
    by("samples").replaceChildren(...rows.map((row) => {
      const canvas = element("canvas", { "aria-hidden": "true" });
      const [low, high] = found.input_range;
      const unit = row.image.map((line) => line.map((value) => (value - low) / (high - low || 1)));
      const button = element("button", { type: "button", "aria-label": `Test image of class ${row.label}`, onclick: () => {
        pad.show(unit, false);
        exact = row.image;
        look();
      } }, canvas);
      canvas.width = unit[0].length;
      canvas.height = unit.length;
      const image = new ImageData(canvas.width, canvas.height);
      unit.flat().forEach((value, i) => image.data.set([255 * value, 255 * value, 255 * value, 255], 4 * i));
      canvas.getContext("2d").putImageData(image, 0, 0);
      return button;
    }));
    by("samples-title").hidden = rows.length === 0;
    by("file").accept = found.drawable ? PICTURES : found.image_shape?.length === 3 ? `${PICTURES},.npy` : ".npy";
    const instead = found.image_shape?.length === 3 ? "a picture, or an array of NumPy (.npy)" : "an array of NumPy (.npy)";
    complain(by("maps-error"), found.drawable ? null : new Error(`This model does not take drawings: open ${instead}.`));
    exact = null;
    look();
  }

  async function wait() {
    const jobs = await call("/jobs?kind=train&limit=1");
    const place = by("draw-wait");
    const job = jobs[0];
    if (!job || !["queued", "running"].includes(job.state)) {
      place.replaceChildren(element("p", {}, job?.error ? `The first training failed: ${job.error} ` : "There is no model yet: ",
        element("a", { href: "#train" }, "train one"), "."));
      return;
    }
    const bar = element("progress", { max: 1, value: 0, "aria-label": "Training" });
    const text = element("p", {}, "The first model is being trained; the page comes to life in some seconds.");
    place.replaceChildren(text, bar);
    unfollow?.();
    unfollow = follow(job.id, { changed: (state) => {
      bar.max = state.progress.total || 1;
      bar.value = state.progress.done || 0;
      if (state.progress.done) text.textContent = `The first model is being trained: epoch ${state.progress.done} of ${state.progress.total}.`;
      if (["done", "failed", "stopped"].includes(state.state)) enter("");
    } });
  }

  async function enter(wanted) {
    const ready = (await call("/models")).filter((one) => one.state === "ready");
    by("draw-wait").hidden = ready.length > 0;
    const select = by("draw-model");
    select.replaceChildren(...ready.map((one) => element("option", { value: one.id }, `${one.name} (${percent(one.metrics?.test_accuracy)})`)));
    select.disabled = ready.length === 0;
    if (!ready.length) return wait();
    const id = [wanted, model?.id, ready[0].id].find((one) => ready.some(({ id }) => id === one));
    if (id !== model?.id || wanted) await choose(id);
    else select.value = id;
    return look();
  }

  by("draw-model").addEventListener("change", (event) => choose(event.target.value).catch((error) => complain(by("maps-error"), error)));
  by("clear").addEventListener("click", () => pad.clear());
  by("undo").addEventListener("click", () => pad.undo());
  by("upload").addEventListener("click", () => by("file").click());
  by("file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    if (model && !model.drawable) {
      const form = new FormData();
      form.append("files", file);
      try {
        const found = await call(`/models/${model.id}/predict/files`, { method: "POST", form });
        complain(by("maps-error"), null);
        answer({ classes: found.classes, probabilities: found.probabilities[0] });
      } catch (error) {
        complain(by("maps-error"), error);
      }
      return;
    }
    try {
      pad.show(await createImageBitmap(file));
    } catch {
      complain(by("maps-error"), new Error(`${file.name} is not a picture that can be shown.`));
    }
  });
  for (const id of ["noise", "shots"]) by(id).addEventListener("input", look);
  return { enter: (wanted) => enter(wanted).catch(() => {}), leave: () => unfollow?.() };
}
