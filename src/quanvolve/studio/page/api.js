// Talking to the server: JSON, problems, streams of events, and what to do when it does not answer.

const banner = document.getElementById("banner");
let away = false;

export class Problem extends Error {
  constructor(detail, status, errors = null) {
    super(detail);
    this.status = status;
    this.errors = errors; // of each part of the request, where several are wrong
  }
}

export async function call(path, { method = "GET", json, form, signal } = {}) {
  const options = { method, signal, headers: {} };
  if (json !== undefined) {
    options.body = JSON.stringify(json);
    options.headers["content-type"] = "application/json";
  } else if (form) {
    options.body = form;
  }
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, options);
  } catch (error) {
    if (error.name !== "AbortError") lost();
    throw error.name === "AbortError" ? error : new Problem("The studio does not answer.", 0);
  }
  if (answer.status === 401) window.location.href = "/login";
  if (answer.status === 204) return null;
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(content.detail || answer.statusText, answer.status, content.errors);
  return content;
}

// Once the server is away, ask again and again; when it is back, tell everybody.
function lost() {
  if (away) return;
  away = true;
  banner.textContent = "The studio does not answer. Nothing is lost; trying again…";
  banner.hidden = false;
  const timer = setInterval(async () => {
    const fine = await fetch("/healthz").then((answer) => answer.ok, () => false);
    if (!fine) return;
    clearInterval(timer);
    away = false;
    banner.hidden = true;
    window.dispatchEvent(new Event("back"));
  }, 1000);
}

// Follow a job: `told` gets every finished epoch, `changed` the job; returns what ends it.
export function follow(job, { told = () => {}, changed = () => {} }) {
  const source = new EventSource(`/api/v1/jobs/${job}/events`);
  source.addEventListener("epoch", (event) => told(JSON.parse(event.data)));
  source.addEventListener("job", (event) => {
    const state = JSON.parse(event.data);
    if (["done", "failed", "stopped"].includes(state.state)) source.close();
    changed(state);
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED || !navigator.onLine) lost();
  });
  return () => source.close();
}

export function element(tag, attributes = {}, ...children) {
  const found = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") found.className = value;
    else if (name.startsWith("on")) found.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) found.setAttribute(name, value === true ? "" : value);
  }
  found.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return found;
}

// What nobody has written down, as of a model that was saved from Python, is unknown; it is not zero.
export const known = (value, write = String) => (value === null || value === undefined || Number.isNaN(value) ? "unknown" : write(value));
export const percent = (share) => known(share, () => `${share > 0.99995 ? 100 : (100 * share).toFixed(share > 0.9995 ? 2 : 1)} %`);
export const words = (name) => String(name).replaceAll("_", " ");
export const isDark = () => window.matchMedia("(prefers-color-scheme: dark)").matches;

export function complain(place, error) {
  place.hidden = !error;
  place.textContent = error ? error.message : "";
}
