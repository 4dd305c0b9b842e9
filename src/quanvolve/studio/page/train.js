// Training: a form with the circuit's picture, and trainings that are watched.

import { call, complain, element, words } from "./api.js";
import { asFields, formFields, ownSets, settingsOf } from "./fields.js";
import { JobList } from "./jobs.js";

const by = (id) => document.getElementById(id);

export function start() {
  const form = by("train-form");
  const list = new JobList(by("train-jobs"), "train", {
    title: ({ settings: s }) => `${s.own ?? s.dataset}: ${s.filters} × ${s.backbone === "quantum" ? words(s.circuit) : s.backbone}, ${s.head}`,
    finished: () => {},
    actions: (job) => (job.state === "done"
      ? [element("a", { class: "button", href: `#draw/${job.model}` }, "Draw"), element("a", { class: "button", href: `#models/${job.model}` }, "Results")] : []),
  });
  let fields = null;

  async function build(wanted) {
    fields ??= await formFields("train", "train", by("train-picture"), by("train-summary"));
    await ownSets("train", fields, wanted);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    complain(by("train-error"), null);
    const button = form.querySelector(".primary");
    button.disabled = true;
    try {
      await call("/jobs", { method: "POST", json: { kind: "train", ...settingsOf(form, fields) } });
      await list.refresh();
    } catch (error) {
      complain(by("train-error"), new Error(asFields(error.message, fields.filter(({ own }) => own))));
    }
    button.disabled = false;
  });
  return { enter: (wanted) => Promise.all([build(wanted), list.refresh()]).catch(() => {}), leave: () => list.leave() };
}
