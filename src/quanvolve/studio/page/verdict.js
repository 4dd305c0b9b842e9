// Comparisons with controls, and their reports.

import { call, complain, element, words } from "./api.js";
import { asFields, formFields, ownSets, settingsOf } from "./fields.js";
import { JobList } from "./jobs.js";

const by = (id) => document.getElementById(id);

export function start() {
  const form = by("verdict-form");
  const list = new JobList(by("verdict-jobs"), "compare", {
    title: ({ settings: s }) => `${s.own ?? s.dataset}: ${s.filters} × ${words(s.circuit)} against ${s.controls.join(", ")}`,
    finished: (job) => job.state === "done" && report(job.id),
    actions: (job) => (job.state === "done" ? [element("button", { type: "button", onclick: () => report(job.id) }, "Verdict")] : []),
  });
  let fields = null;

  function report(job) {
    const place = by("verdict-report");
    place.hidden = false;
    place.replaceChildren(
      element("div", { class: "row" }, element("h2", { class: "grow" }, "Verdict"), element("a", { class: "button", href: `/api/v1/jobs/${job}/report`, target: "_blank", rel: "noopener" }, "Open alone")),
      element("iframe", { src: `/api/v1/jobs/${job}/report`, title: "Report of the comparison", sandbox: "" }),
    );
    place.scrollIntoView({ block: "start" });
  }

  async function build(wanted) {
    if (!fields) await make();
    await ownSets("verdict", fields, wanted);
  }

  async function make() {
    const about = await call("/about");
    const made = await formFields("compare", "verdict");
    by("controls").replaceChildren(...Object.entries(about.controls).map(([name, summary]) => element("label", { class: "check" },
      element("input", { type: "checkbox", name: "control", value: name, checked: about.comparison.controls.includes(name) }),
      element("span", {}, element("strong", {}, name), ` ${summary}`))));
    form.addEventListener("input", () => warn(about.least_seeds));
    fields = made;
  }

  // So few seeds that no difference could be told from chance.
  function warn(least) {
    const chosen = form.querySelectorAll('[name="control"]:checked').length;
    const needed = least[Math.max(chosen, 1) - 1];
    const few = Number(form.elements.seeds.value) < needed;
    by("verdict-few").hidden = !few;
    by("verdict-few").textContent = few ? `So few seeds cannot show any difference among ${chosen} controls, however large: at least ${needed} can.` : "";
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    complain(by("verdict-error"), null);
    const button = form.querySelector(".primary");
    button.disabled = true;
    const chosen = settingsOf(form, fields);
    const controls = [...form.querySelectorAll('[name="control"]:checked')].map((box) => box.value);
    try {
      if (!controls.length) throw new Error("Choose at least one control to compare with.");
      await call("/jobs", { method: "POST", json: { kind: "compare", ...chosen, controls } });
      await list.refresh();
    } catch (error) {
      complain(by("verdict-error"), new Error(asFields(error.message, fields.filter(({ own }) => own))));
    }
    button.disabled = false;
  });
  return { enter: (wanted) => Promise.all([build(wanted), list.refresh()]).catch(() => {}), leave: () => list.leave() };
}
