// The parts of the page, shown by the fragment of the address.

import { start as data } from "./data.js";
import { start as draw } from "./draw.js";
import { start as models } from "./models.js";
import { start as train } from "./train.js";
import { start as verdict } from "./verdict.js";

const parts = { draw: draw(), models: models(), data: data(), train: train(), verdict: verdict() };
let shown = "";

function show() {
  const [name, ...rest] = window.location.hash.slice(1).split("/");
  const part = name in parts ? name : "draw";
  for (const one of Object.keys(parts)) {
    document.getElementById(one).hidden = one !== part;
    const link = document.querySelector(`.tabs a[href="#${one}"]`);
    if (one === part) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `quanvolve studio: ${part}`;
  if (shown && shown !== part) {
    parts[shown].leave?.();
    document.getElementById("content").focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
  shown = part;
  parts[part].enter(rest.join("/"));
}

window.addEventListener("hashchange", show);
window.addEventListener("back", () => parts[shown].enter(window.location.hash.split("/").slice(1).join("/")));
show();
