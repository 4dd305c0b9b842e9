// Training: a form with the circuit's picture, and trainings that are watched.

import { call, complain, element, words } from "./api.js";
import { circuitFields, JobList, NUMBERS, settingsOf } from "./jobs.js";

const by = (id) => document.getElementById(id);

export function start() {
  const form = by("train-form");
  const list = new JobList(by("train-jobs"), "train", {
    title: ({ settings: s }) => `${s.dataset}: ${s.filters} × ${s.backbone === "quantum" ? words(s.circuit) : s.backbone}, ${s.head}`,
    finished: () => {},
    actions: (job) => (job.state === "done"
      ? [element("a", { class: "button", href: `#draw/${job.model}` }, "Draw"), element("a", { class: "button", href: `#models/${job.model}` }, "Results")] : []),
  });
  let built = false;

  async function build() {
    if (built) return;
    await circuitFields(by("train-fields"), form, by("train-picture"), by("train-summary"), (select, number, { backbones }) => [
      select("backbone", "Filters are", Object.keys(backbones).map((name) => [name, words(name)]), "quantum"),
      number("epochs", "Epochs", 15, 1, 500), number("lr", "Learning rate", 0.003, 0.00001, 1, "any"), number("seed", "Seed", 0, 0, 4294967295),
      element("label", {}, element("span", {}, "Name"), element("input", { type: "text", name: "name", maxlength: 80, placeholder: "by itself" })),
    ]);
    built = true;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    complain(by("train-error"), null);
    const button = form.querySelector(".primary");
    button.disabled = true;
    try {
      await call("/jobs", { method: "POST", json: { kind: "train", ...settingsOf(form, NUMBERS) } });
      await list.refresh();
    } catch (error) {
      complain(by("train-error"), error);
    }
    button.disabled = false;
  });
  return { enter: () => Promise.all([build(), list.refresh()]).catch(() => {}), leave: () => list.leave() };
}
