// The reader's documents: given, seen in their versions, tagged, deleted and brought back.

import { json } from "./api.js";
import { twice } from "./conversations.js";
import { announce, byId, element } from "./element.js";
import { read } from "./reader.js";
import { settled, underWay, upload } from "./uploads.js";

const STATES = { queued: "Waiting", converting: "Being read", ready: "Ready", failed: "Not readable" };
const rows = new Map();
let tag = "";

/** Make the view of documents work. */
export function prepare() {
  const input = byId("files"), drop = byId("drop");
  input.addEventListener("change", () => {
    give([...input.files]);
    input.value = "";
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop") give([...event.dataTransfer.files]);
    });
  }
  byId("more-documents").addEventListener("click", () => list(byId("more-documents").dataset.after));
  byId("all-tags").addEventListener("click", () => filter(""));
}

/** Show the documents as they are now. */
export async function show() {
  byId("documents-problem").textContent = "";
  await list("");
}

/** Forget what is shown. */
export function clear() {
  rows.clear();
  byId("document-list").replaceChildren();
  byId("documents-problem").textContent = "";
  byId("more-documents").hidden = true;
}

const give = (files) => upload(files, "documents", "POST", (document) => put(document, true));

function filter(wanted) {
  tag = wanted;
  byId("all-tags").hidden = !wanted;
  byId("all-tags").textContent = `Tagged “${wanted}” · show all`;
  show();
}

async function list(after) {
  const query = new URLSearchParams({ limit: "50", ...(after && { after }), ...(tag && { tag }) });
  try {
    const { documents, next } = await json(`documents?${query}`);
    if (!after) clear();
    documents.forEach((each) => put(each));
    byId("more-documents").hidden = !next;
    byId("more-documents").dataset.after = next ?? "";
    byId("no-documents").hidden = rows.size > 0;
  } catch (problem) {
    byId("documents-problem").textContent = problem.message;
  }
}

/** Show a document, in its row if it has one. */
function put(document, first = false) {
  const made = row(document), before = rows.get(document.id);
  if (before) {
    made.querySelector("details").open = before.querySelector("details").open;
    before.replaceWith(made);
  } else if (first) byId("document-list").prepend(made);
  else byId("document-list").append(made);
  rows.set(document.id, made);
  byId("no-documents").hidden = true;
  if (made.querySelector("details").open) fill(made.querySelector(".inside"), document);
}

function row(document) {
  const title = document.title || document.path;
  const state = element("span", { class: document.status === "ready" ? "state" : `state ${document.status}` }, STATES[document.status]);
  const inside = element("div", { class: "inside" });
  const head = element("summary", {}, element("span", { class: "title" }, title), state, element("span", { class: "help about" }, about(document)));
  const details = element("details", {}, head, inside);
  details.addEventListener("toggle", () => details.open && fill(inside, document));
  return element("li", { class: "document" }, details);
}

function about(document) {
  if (document.status === "failed") return [size(document.size_bytes), document.detail].filter(Boolean).join(" · ");
  const pages = document.pages ? `${document.pages} ${document.pages === 1 ? "page" : "pages"}` : "";
  const version = document.version > 1 ? `version ${document.version}` : "";
  return [document.author, document.date, pages, size(document.size_bytes), version].filter(Boolean).join(" · ");
}

function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** What can be seen of a document, and done with it. */
async function fill(inside, document) {
  const title = document.title || document.path;
  const open = () => read({ note_id: document.id, title, quote: "", start: 0 }, "");
  const picker = element("input", { type: "file", class: "unseen", tabIndex: -1, "aria-label": `New version of ${title}` });
  picker.addEventListener("change", () => upload([...picker.files], `documents/${document.id}`, "PUT", put));
  const actions = element(
    "div",
    { class: "row" },
    document.live_version ? element("button", { type: "button", class: "quiet", onclick: open }, "Read") : null,
    element("button", { type: "button", class: "quiet", onclick: () => picker.click() }, "New version"),
    picker,
    twice("Delete", `Delete ${title}`, () => remove(document)),
  );
  const versions = element("ol", { class: "versions", "aria-label": `Versions of ${title}` });
  inside.replaceChildren(...[actions, tags(document), versions]);
  const known = await json(`documents/${document.id}/versions`).catch(() => ({ versions: [] }));
  versions.replaceChildren(...known.versions.map((each) => version(each, document)));
}

function tags(document) {
  const input = element("input", { value: document.tags.join(", "), "aria-label": "Tags, separated by commas", placeholder: "Tags, separated by commas" });
  const form = element("form", { class: "tags" }, input, element("button", { type: "submit", class: "quiet" }, "Save tags"));
  const chips = document.tags.map((each) => element("button", { type: "button", class: "chip", "aria-label": `Show documents tagged ${each}`, onclick: () => filter(each) }, each));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wanted = input.value.split(",").map((each) => each.trim()).filter(Boolean);
    await doing(async () => put(await json(`documents/${document.id}/tags`, { method: "PUT", body: { tags: wanted } })));
    announce("Tags saved");
  });
  return element("div", {}, chips.length ? element("p", { class: "chips" }, ...chips) : null, form);
}

function version(each, document) {
  const when = new Date(each.uploaded_at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  const live = each.version === document.live_version;
  const told = each.status === "failed" ? each.detail : live ? "in your answers" : STATES[each.status];
  const restore = () => doing(async () => put(await settled(await json(`documents/${document.id}/restore`, { method: "POST", body: { version: each.version } }), put)));
  const back = each.status === "ready" && !live && !underWay(document);
  return element(
    "li",
    {},
    element("span", {}, `Version ${each.version}`),
    element("span", { class: "help" }, `${when} · ${each.path} · ${told}`),
    back ? element("button", { type: "button", class: "quiet", "aria-label": `Restore version ${each.version}`, onclick: restore }, "Restore") : null,
  );
}

async function remove(document) {
  await json(`documents/${document.id}`, { method: "DELETE" });
  const back = async () => put(await settled(await json(`documents/${document.id}/restore`, { method: "POST", body: {} }), put));
  const undo = element("button", { type: "button", class: "quiet", onclick: () => doing(back) }, "Undo");
  const told = element("span", {}, `${document.title || document.path} was deleted.`);
  const gone = element("li", { class: "document gone" }, element("details", { hidden: true }), told, undo);
  rows.get(document.id).replaceWith(gone);
  rows.set(document.id, gone);
  undo.focus();
  announce("Deleted");
}

async function doing(act) {
  byId("documents-problem").textContent = "";
  try {
    await act();
  } catch (problem) {
    byId("documents-problem").textContent = problem.message;
  }
}
