// Drawing: every stroke goes to the server, and what the model sees and says comes back.

import { call, complain, element, follow, percent } from "./api.js";
import { accepted, ask, Files } from "./files.js";
import { Maps } from "./maps.js";
import { Pad, paintPlanes } from "./pad.js";
import { digits, scoreText } from "./scores.js";

const by = (id) => document.getElementById(id);
const SHOTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 10000, null];

export function start() {
  const maps = new Maps();
  const files = new Files();
  let model = null; // what is drawn for
  let busy = false;
  let again = false;
  let exact = null; // a test image as it is, or what a file holds, until something is drawn
  let unfollow = null;
  let choosing = Promise.resolve(); // until the model is there that is chosen
  const pad = new Pad(by("pad"), () => {
    exact = null;
    by("polarity").hidden = true;
    look();
  });

  const isImage = () => model.image_shape?.length === 3;
  const planesOf = (image) => (Array.isArray(image[0][0]) ? image : [image]);
  const inUnits = (image) => {
    const [low, high] = model.input_range;
    return planesOf(image).map((plane) => plane.map((line) => line.map((value) => Math.max(0, Math.min(1, (value - low) / (high - low || 1))))));
  };
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
      unanswered();
      return;
    }
    busy = true;
    const asked = model.id;
    try {
      const seen = await lookInto(exact ?? pad.pixels(), !exact);
      if (model?.id === asked) {
        complain(by("maps-error"), null);
        if (seen.maps) maps.show(seen);
        else maps.none(seen.why);
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

  function unanswered() {
    by("answer").classList.remove("long");
    by("answer").replaceChildren(element("span", { class: "hint" }, model.drawable ? "Draw something, or choose a test image." : "Choose a test image, or open a file."));
    by("bars").replaceChildren();
  }

  // Maps and answer; of a model without maps of images the answer, and why there are no maps.
  async function lookInto(image, drawing) {
    let why = `This model reads ${(model.image_shape ?? []).join("×")} values (channels first), which are no picture: there are no maps to show.`;
    if (isImage()) {
      try {
        return await call(`/models/${model.id}/feature-maps`, {
          method: "POST", json: { image, drawing, noise: noise(), shots: shots(), seed: Math.floor(Math.random() * 2 ** 31) },
        });
      } catch (error) {
        if (error.status !== 409) throw error;
        why = error.message;
      }
    }
    const said = await call(`/models/${model.id}/predict`, { method: "POST", json: { images: [image], drawing } });
    return one(said, why);
  }

  // The answer to the first image of a prediction.
  const one = (said, why) => ({ task: said.task, classes: said.classes, targets: said.targets, probabilities: said.probabilities[0], numbers: said.numbers[0], why });

  function bar(name, share, best) {
    const fill = element("span", { class: "fill" });
    fill.style.width = `${100 * share}%`;
    return element("li", { class: best ? "best" : "" }, element("span", {}, name), element("span", { class: "track" }, fill), element("span", { class: "number" }, percent(share)));
  }

  function answer(seen) {
    const place = by("answer");
    by("time").textContent = seen.milliseconds === undefined ? "" : `The model took ${seen.milliseconds.toFixed(1)} ms.`;
    if (seen.task === "regression") {
      place.classList.toggle("long", true);
      place.replaceChildren(...(seen.numbers.length === 1 ? [element("strong", {}, digits(seen.numbers[0])), element("span", {}, seen.targets[0])] : []));
      by("bars").setAttribute("aria-label", "Numbers");
      by("bars").replaceChildren(...(seen.numbers.length === 1 ? [] : seen.numbers.map((value, k) => element("li", { class: "best" }, element("span", {}, seen.targets[k]), element("span"), element("span", { class: "number" }, digits(value))))));
      return;
    }
    by("bars").setAttribute("aria-label", "Probabilities");
    if (seen.task === "multilabel") {
      const there = seen.classes.filter((_, k) => seen.probabilities[k] > 0.5);
      place.classList.toggle("long", true);
      place.replaceChildren(element("strong", {}, there.join(", ") || "none of the labels"));
      by("bars").replaceChildren(...seen.classes.map((name, k) => bar(name, seen.probabilities[k], seen.probabilities[k] > 0.5)));
      return;
    }
    const best = seen.probabilities.indexOf(Math.max(...seen.probabilities));
    by("answer").classList.toggle("long", seen.classes[best].length > 3);
    by("answer").replaceChildren(element("strong", {}, seen.classes[best]), element("span", {}, percent(seen.probabilities[best])));
    by("bars").replaceChildren(...seen.classes.map((name, index) => bar(name, seen.probabilities[index], index === best)));
  }

  // A file through the server, which prepares it as in training; shown as the model sees it.
  async function send(file, invert = false) {
    const asked = model.id;
    const said = await ask(model, [file], { invert, images: true });
    if (model?.id !== asked) return;
    complain(by("maps-error"), null);
    exact = said.images[0];
    if (model.drawable) pad.show(planesShown(inUnits(exact)), false);
    const place = by("polarity");
    place.hidden = !said.warning && !invert;
    place.replaceChildren(said.warning ? `Careful: ${said.warning}. ` : invert ? "Dark and bright were exchanged. " : "",
      element("button", { type: "button", onclick: () => send(file, !invert).catch(fail) }, invert ? "As it is" : "Invert"));
    await look();
  }

  const fail = (error) => complain(by("maps-error"), error);
  const planesShown = (planes) => (planes.length === 3 ? planes : planes[0]);

  function begin(id) {
    choosing = choose(id);
    return choosing;
  }

  async function choose(id) {
    const [found, layer] = await Promise.all([call(`/models/${id}`), call(`/models/${id}/layer`)]);
    model = found;
    maps.use(id, layer);
    files.use(found);
    by("draw-model").value = id;
    setUp();
    exact = null;
    unanswered(); // what the model before answered is not this one's
    const { samples, why_not: why } = await call(`/models/${id}/samples?count=20`).catch((error) => ({ samples: [], why_not: error.message }));
    if (model.id !== id) return;
    by("samples").replaceChildren(...samples.map(sampleButton));
    by("samples-title").hidden = samples.length === 0;
    by("samples-note").hidden = !why;
    by("samples-note").textContent = why ? `${why.charAt(0).toUpperCase()}${why.slice(1)}.` : "";
    look();
  }

  const DIGITS = ["digits", "mnist", "usps"];
  const CALLED = { classification: "class", multilabel: "labels", regression: "target" };

  function sampleButton(row) {
    const label = `Test ${model.drawable ? "image" : "sample"} of ${CALLED[model.task]} ${row.label}`;
    const show = () => {
      if (model.drawable) pad.show(planesShown(inUnits(row.image)), false);
      by("polarity").hidden = true;
      exact = row.image;
      look();
    };
    if (!model.drawable) return element("button", { type: "button", class: "text", "aria-label": label, onclick: show }, row.label);
    const canvas = element("canvas", { "aria-hidden": "true" });
    paintPlanes(canvas, inUnits(row.image));
    return element("button", { type: "button", "aria-label": label, title: row.label, onclick: show }, canvas);
  }

  // What can be done with a model, by what it takes.
  function setUp() {
    const colour = model.drawable && model.image_shape[0] === 3;
    const prepared = Boolean(model.preparation);
    if (pad.inColour !== colour) pad.clear(false); // else the drawing stays, for another model too
    pad.inColour = colour;
    by("pen-label").hidden = !colour;
    by("pad").hidden = by("clear").hidden = by("undo").hidden = !model.drawable;
    const ofDigits = DIGITS.includes(model.dataset);
    by("draw-title").textContent = `${!model.drawable ? "Try a model" : ofDigits ? "Draw a digit" : "Draw or open a picture"}, watch the circuits`;
    by("pad-title").textContent = !model.drawable ? "Your data" : colour || prepared ? "Your picture" : ofDigits ? "Your digit" : "Your drawing";
    by("samples-title").textContent = model.drawable ? "Test images" : "Test samples";
    by("upload").textContent = model.drawable ? "Open a picture…" : "Open a file…";
    by("file").accept = accepted(model);
    by("pad-note").hidden = model.drawable;
    by("pad-note").textContent = `This model does not take drawings: open ${isImage() ? "a picture, an array of NumPy (.npy, .npz) or a table" : "an array of NumPy (.npy, .npz) or a table"}.`;
    by("pad-hint").hidden = !model.drawable;
    by("pad-hint").textContent = colour ? "Drawings are scaled to the size that the model takes, in the colours they have."
      : `Drawings are cut out, scaled and centred as ${ofDigits ? "the digits that the model has learned from" : "MNIST’s digits are"}.`;
    by("polarity").hidden = true;
    complain(by("maps-error"), null);
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
    select.replaceChildren(...ready.map((one) => element("option", { value: one.id }, `${one.name} (${scoreText(one)})`)));
    select.disabled = ready.length === 0;
    if (!ready.length) return wait();
    const id = [wanted, model?.id, ready[0].id].find((one) => ready.some(({ id }) => id === one));
    if (id !== model?.id || wanted) await begin(id);
    else select.value = id;
    return look();
  }

  by("draw-model").addEventListener("change", (event) => begin(event.target.value).catch(fail));
  by("clear").addEventListener("click", () => pad.clear());
  by("undo").addEventListener("click", () => pad.undo());
  by("upload").addEventListener("click", () => by("file").click());
  by("file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    await choosing.catch(() => {});
    if (!file || !model) return;
    const drawn = model.drawable && model.image_shape[0] === 1 && !model.preparation && !/\.(npy|npz|csv|tsv)$/i.test(file.name);
    if (!drawn) {
      await send(file).catch(fail);
      return;
    }
    try {
      pad.show(await createImageBitmap(file));
    } catch {
      complain(by("maps-error"), new Error(`${file.name} is not a picture that can be shown.`));
    }
  });
  by("pen").addEventListener("input", (event) => (pad.colour = event.target.value));
  for (const id of ["noise", "shots"]) by(id).addEventListener("input", look);
  return { enter: (wanted) => enter(wanted).catch(() => {}), leave: () => unfollow?.() };
}
