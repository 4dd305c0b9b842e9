// Data of one's own: bringing them, and what is understood of them.

import { call, complain, element, isDark, words } from "./api.js";
import { asFields, field, fill, label, settingsOf } from "./fields.js";
import { chosenFiles, droppedFiles, send } from "./sending.js";

const by = (id) => document.getElementById(id);
const count = (value) => value.toLocaleString("en");
const MOST = 40; // classes of the table

function size(bytes) {
  for (const [unit, most] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) if (bytes >= most) return `${(bytes / most).toFixed(bytes < 10 * most ? 1 : 0)} ${unit}`;
  return `${bytes} bytes`;
}

export function start() {
  const form = by("data-form");
  let sets = [];
  let fields = null;
  let current = null;
  let looking = null; // what ends the look that is under way
  let sending = null; // what ends the sending that is under way

  async function bring(files, name) {
    if (sending) return;
    complain(by("data-error"), null);
    by("data-sending").hidden = false;
    sending = new AbortController();
    const told = ({ bytes, total, count: sent, files: all }) => {
      by("data-progress").max = total || 1;
      by("data-progress").value = bytes;
      by("data-sent").textContent = bytes >= total ? `${size(total)} sent, being stored…` : `Sending “${name}”: ${count(sent)} of ${count(all)} files, ${size(bytes)} of ${size(total)}`;
    };
    try {
      const set = await send(name, await files, { signal: sending.signal, told });
      window.location.hash = `data/${set.id}`;
    } catch (error) {
      if (error.name !== "AbortError") complain(by("data-error"), error);
    }
    sending = null;
    by("data-sending").hidden = true;
    await list().catch(() => {});
  }

  function chosen(input) {
    const files = chosenFiles(input);
    input.value = "";
    if (files.length) bring(files, files[0].path.includes("/") ? files[0].path.split("/")[0] : files[0].path);
  }

  for (const kind of ["folder", "files"]) {
    by(`data-${kind}-open`).addEventListener("click", () => by(`data-${kind}`).click());
    by(`data-${kind}`).addEventListener("change", (event) => chosen(event.target));
  }
  by("data-cancel").addEventListener("click", () => sending?.abort());
  const drop = by("data-drop");
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    const first = event.dataTransfer.items[0]?.webkitGetAsEntry?.();
    if (first) bring(droppedFiles(event.dataTransfer), first.name);
  });

  async function list() {
    sets = await call("/data");
    by("data-list").replaceChildren(sets.length
      ? element("ul", { class: "sets" }, sets.map((one) => element("li", { class: one.id === current ? "chosen" : "" },
        element("a", { href: `#data/${one.id}`, "aria-current": one.id === current ? "true" : null }, one.name),
        element("span", { class: "hint" }, one.awaited ? `incomplete, ${count(one.awaited)} files are missing` : `${count(one.files)} ${one.files === 1 ? "file" : "files"}, ${size(one.bytes)}`))))
      : element("p", { class: "empty" }, "None yet."));
  }

  async function build() {
    if (fields) return;
    fields = (await call("/circuits")).forms.look.map((one) => ({ ...one, form: "look", more: true }));
    by("data-fields").replaceChildren(...fields.map((one) => field(one)));
  }

  function show(id) {
    const one = sets.find((set) => set.id === id);
    by("data-detail").hidden = !one;
    if (!one) return;
    looking?.abort();
    current = id;
    by("data-name").textContent = one.name;
    by("data-facts").textContent = `${count(one.files)} ${one.files === 1 ? "file" : "files"}, ${size(one.bytes)} · ${one.id} · ${new Date(1000 * one.created).toLocaleString()}`;
    complain(by("data-look-error"), null);
    by("data-understood").hidden = true;
    form.hidden = Boolean(one.awaited) || !one.files;
    by("data-actions").replaceChildren(
      element("button", { type: "button", onclick: async () => {
        const name = window.prompt("Another name for these data:", one.name);
        if (name) await act({ method: "PATCH", json: { name } }, id);
      } }, "Rename"),
      element("button", { type: "button", class: "danger", onclick: async () => {
        if (window.confirm(`Delete “${one.name}” with its files? Models that were trained on it stay.`)) await act({ method: "DELETE" }, "");
      } }, "Delete"));
    fill(form, fields, one.asked);
    by("data-how").open = false;
    told();
    if (form.hidden) complain(by("data-error"), new Error(`“${one.name}” is incomplete: delete it, and bring it again.`));
    else look();
  }

  // Beside the fold what is chosen in it.
  function told() {
    const chosen = fields.map((field_) => [field_, settingsOf(form, [field_])[field_.name] ?? null]).filter(([{ default: usual }, value]) => value !== usual);
    const texts = chosen.map(([{ name }, value]) => `${label(name).toLowerCase()}${value === true ? "" : ` ${words(value)}`}`);
    by("data-how").querySelector("summary").textContent = texts.length ? `How it is read: ${texts.join(", ")}` : "How it is read";
  }

  async function act(request, next) {
    try {
      await call(`/data/${current}`, request);
      if (!next) current = null;
      if (window.location.hash === `#data/${next}`) await enter(next);
      else window.location.hash = next ? `data/${next}` : "data";
    } catch (error) {
      complain(by("data-look-error"), error);
    }
  }

  async function look() {
    looking?.abort();
    const mine = (looking = new AbortController());
    const id = current;
    complain(by("data-look-error"), null);
    by("data-look").textContent = "Looking…";
    by("data-said").textContent = "Looking…";
    try {
      const found = await call(`/data/${id}/look`, { method: "POST", json: settingsOf(form, fields), signal: mine.signal });
      understood(id, found);
      // What was found stands below, where it is seen.
      if (by("data-how").contains(document.activeElement)) by("data-look").focus();
      by("data-how").open = false;
      by("data-said").textContent = `Understood: ${found.kind}, ${found.warnings.length} warnings`;
    } catch (error) {
      if (mine.signal.aborted) return;
      by("data-understood").hidden = true;
      by("data-said").textContent = "";
      by("data-how").open = true; // what is asked for is in there
      complain(by("data-look-error"), new Error(asFields(error.message, fields)));
    }
    if (looking !== mine) return;
    looking = null;
    by("data-look").textContent = "Look again";
  }

  function understood(id, found) {
    const fact = (name, value) => element("div", {}, element("dt", {}, name), element("dd", {}, value));
    const sum = (part) => found.classes.reduce((total, one) => total + one[part], 0);
    const number = (value) => String(Number(value.toPrecision(4)));
    const parts = [["train", "Training"], ["valid", "Validation"], ["test", "Test"]].filter(([part]) => sum(part) || part !== "valid");
    const sentences = (title, lines, kind) => (lines.length ? [element("h3", {}, title), element("ul", { class: kind }, lines.map((line) => element("li", {}, asFields(line, fields))))] : []);
    const most = Math.max(...found.classes.map((one) => one.train), 1);
    const table = () => element("table", { class: "classes" },
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Class"), parts.map(([, title]) => element("th", { scope: "col", class: "number" }, title)), element("td", {}))),
      element("tbody", {}, found.classes.slice(0, MOST).map((one) => {
        const bar = element("span", { class: "fill" });
        bar.style.width = `${(100 * one.train) / most}%`;
        return element("tr", {}, element("th", { scope: "row" }, one.name), parts.map(([part]) => element("td", { class: "number" }, count(one[part]))), element("td", { class: "share", "aria-hidden": "true" }, bar));
      })));
    const picture = element("img", { class: "look", src: `/api/v1/data/${id}/pictures/${found.look}?dark=${isDark()}`, alt: found.aim === null ? "Samples of each class, and bars of how many there are" : "Samples, by what is to be learned of them" });
    const place = by("data-understood");
    place.replaceChildren(...[
      element("dl", { class: "facts" },
        Object.assign(fact("Read as", found.source), { className: "wide" }), fact(words(found.kind).replace(/^./, (letter) => letter.toUpperCase()), found.shape.join("×")),
        fact("Values", `${found.dtype}, ${number(found.low)} to ${number(found.high)}`),
        found.aim === null ? fact("Classes", count(found.classes.length)) : Object.assign(fact("To be learned", found.aim), { className: "wide" }),
        ...parts.map(([part, title]) => fact(title, count(sum(part)))),
        found.preparation ? fact("Prepared", found.preparation) : null),
      ...sentences("Look out", found.warnings, "warnings"),
      ...sentences("While reading", found.notes, "notes"),
      element("h3", {}, "Samples"), element("div", { class: "scroll", tabindex: 0, "aria-label": "Samples" }, picture),
      ...(found.aim === null ? [element("h3", {}, "Classes"), element("div", { class: "scroll", tabindex: 0, "aria-label": "Table of classes" }, table())] : []),
      found.aim === null && found.classes.length > MOST ? element("p", { class: "hint" }, `and ${count(found.classes.length - MOST)} more`) : null,
      element("div", { class: "row next" },
        element("a", { class: "button primary", href: `#train/${id}` }, "Train on it"),
        found.task === "classification" ? element("a", { class: "button", href: `#verdict/${id}` }, "Compare on it") : null),
    ].filter(Boolean));
    place.hidden = false;
  }

  form.addEventListener("change", told);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    look();
  });

  async function enter(wanted) {
    complain(by("data-error"), null);
    await build();
    if (!sets.some((one) => one.id === wanted) || wanted !== current) current = wanted || null;
    await list();
    show(wanted);
  }

  return { enter: (wanted) => enter(wanted).catch(() => {}), leave: () => looking?.abort() };
}
