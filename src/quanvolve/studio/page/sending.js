// Sending data: files of a folder, in several requests, each with its path.

import { call, Problem } from "./api.js";

const FILES = 200; // in a request
const BYTES = 8 * 2 ** 20; // of them, unless one alone has more

const isHidden = (path) => path.split("/").some((part) => part.startsWith("."));

// Files as {file, path}: of an input, where those of a folder say where they were in it.
export const chosenFiles = (input) => [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));

// Files as {file, path}: of what was dropped, folders with all that is in them.
export async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = [];
  const walk = async (entry, path) => {
    if (entry.isFile) {
      found.push({ file: await new Promise((done, fail) => entry.file(done, fail)), path: path + entry.name });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done, fail) => reader.readEntries(done, fail));
      if (!some.length) return;
      for (const one of some) await walk(one, `${path}${entry.name}/`);
    }
  };
  for (const entry of entries) await walk(entry, "");
  return found;
}

function* batches(files) {
  let batch = [], bytes = 0;
  for (const one of files) {
    if (batch.length && (batch.length >= FILES || bytes + one.file.size > BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(one);
    bytes += one.file.size;
  }
  if (batch.length) yield batch;
}

// One request; its body is read by the browser as it is sent.
function post(path, batch, signal, told) {
  return new Promise((done, fail) => {
    const body = new FormData();
    for (const { file, path: name } of batch) body.append("files", file, name);
    const request = new XMLHttpRequest();
    const answer = () => {
      try {
        return JSON.parse(request.responseText);
      } catch {
        return {};
      }
    };
    request.upload.onprogress = (event) => told(event.loaded / event.total);
    request.onload = () => (request.status < 300 ? done(answer()) : fail(new Problem(answer().detail || request.statusText, request.status)));
    request.onerror = () => fail(new Problem("The studio does not answer, or has stopped reading.", 0));
    request.onabort = () => fail(new DOMException("", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.open("POST", `/api/v1${path}`);
    request.send(body);
  });
}

// Make a data set of files, all of them or none; `told` hears how far it is: bytes and files.
export async function send(name, all, { signal, told }) {
  const files = all.filter(({ path }) => !isHidden(path));
  if (!files.length) throw new Error("There are no files in it.");
  const total = files.reduce((sum, { file }) => sum + file.size, 0);
  const ask = (text) => call("/data", { method: "POST", json: { name: text.slice(0, 80), files: files.length } });
  // The names of published data sets are theirs.
  const set = await ask(name).catch((error) => (error.status === 422 ? ask(`my ${name}`) : Promise.reject(error)));
  let bytes = 0, count = 0;
  try {
    for (const batch of batches(files)) {
      const size = batch.reduce((sum, { file }) => sum + file.size, 0);
      const said = (share) => told({ bytes: bytes + share * size, total, count: count + Math.floor(share * batch.length), files: files.length });
      said(0);
      await post(`/data/${set.id}/files`, batch, signal, said);
      bytes += size;
      count += batch.length;
      said(0);
    }
  } catch (error) {
    await call(`/data/${set.id}`, { method: "DELETE" }).catch(() => {});
    throw error;
  }
  return set;
}
