// Files on their way: sent with a line on how far they are, then watched until they are read.

import { Problem, json, key } from "./api.js";
import { byId, element } from "./element.js";

const POLL_MS = 1000;
const UNDER_WAY = new Set(["queued", "converting"]);

/** Whether the server is still reading the newest version. */
export const underWay = (document) => UNDER_WAY.has(document.status);

/** Send files one after another; `done` is called with each document that has become something. */
export async function upload(files, path, method, done) {
  for (const file of files) {
    const line = row(file.name);
    try {
      const sent = await sendFile(file, path, method, (share) => line.sent(share));
      line.reading();
      done(await settled(sent, done));
      line.end();
    } catch (problem) {
      line.failed(problem.message);
    }
  }
}

/** The document once it is read or has failed; `seen` is called with it meanwhile. */
export async function settled(document, seen) {
  while (underWay(document)) {
    seen(document);
    await new Promise((wake) => setTimeout(wake, POLL_MS));
    document = await json(`documents/${document.id}`);
  }
  return document;
}

/** What fetch cannot do: tell how much of a file has been sent. */
function sendFile(file, path, method, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, `${path}?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("authorization", `Bearer ${key.get()}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => progress(event.loaded / event.total));
    request.addEventListener("error", () => reject(new Problem({ title: "The server cannot be reached." })));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve(request.response);
      else reject(new Problem(request.response ?? { status: request.status }));
    });
    request.send(file);
  });
}

/** A line in the list of what is under way. */
function row(name) {
  const bar = element("progress", { max: 1, value: 0, "aria-label": `Sending ${name}` });
  const told = element("span", { class: "help", role: "status" }, "Sending…");
  const made = element("li", { class: "upload" }, element("span", { class: "title" }, name), bar, told);
  byId("uploads").append(made);
  return {
    sent: (share) => (bar.value = share),
    reading() {
      bar.removeAttribute("value");
      told.textContent = "Reading…";
    },
    end: () => made.remove(),
    failed(message) {
      bar.remove();
      told.className = "problem";
      told.textContent = message;
      const close = element("button", { type: "button", class: "quiet", "aria-label": `Dismiss ${name}`, onclick: () => made.remove() }, "Dismiss");
      made.append(close);
    },
  };
}
