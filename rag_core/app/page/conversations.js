// Conversations: what was asked before, kept by the server as questions and never as answers.

import { json } from "./api.js";
import { announce, byId, element } from "./element.js";

const CURRENT = "rag-session";
let opened = () => {}, begun = () => {};

/** Make the list of conversations work; `open` is given the turns of one, `clear` begins anew. */
export function prepare({ open, clear }) {
  opened = open;
  begun = clear;
  byId("history").addEventListener("click", show);
  byId("conversations-close").addEventListener("click", () => byId("conversations").close());
  byId("new-conversation").addEventListener("click", () => {
    byId("conversations").close();
    leave();
    begun();
  });
}

/** The id of the conversation that goes on; one is begun where there is none, empty if that fails. */
export async function current() {
  const known = sessionStorage.getItem(CURRENT);
  if (known) return known;
  try {
    const { id } = await json("sessions", { method: "POST" });
    sessionStorage.setItem(CURRENT, id);
    return id;
  } catch (problem) {
    if (problem.status === 401) throw problem;
    return ""; // the question is answered all the same, on its own
  }
}

/** Forget which conversation goes on. */
export function leave() {
  sessionStorage.removeItem(CURRENT);
}

/** Go on where this tab was before it was loaded anew. */
export async function resume() {
  const known = sessionStorage.getItem(CURRENT);
  if (known) await open(known);
}

async function open(id) {
  try {
    const { turns } = await json(`sessions/${id}`);
    sessionStorage.setItem(CURRENT, id);
    byId("conversations").close();
    opened(turns);
  } catch (problem) {
    leave();
    if (problem.status !== 404) announce(problem.message);
  }
}

async function show() {
  const list = byId("conversation-list");
  list.replaceChildren();
  byId("conversations-problem").textContent = "";
  byId("conversations").showModal();
  try {
    const { sessions } = await json("sessions");
    const asked = sessions.filter((each) => each.turns > 0);
    list.replaceChildren(...asked.map(row));
    if (!asked.length) list.append(element("li", { class: "help" }, "Nothing was asked yet."));
  } catch (problem) {
    byId("conversations-problem").textContent = problem.message;
  }
}

function row(session) {
  const when = new Date(session.used_at * 1000).toLocaleDateString(undefined, { day: "numeric", month: "short" });
  const count = session.turns === 1 ? "1 question" : `${session.turns} questions`;
  const here = session.id === sessionStorage.getItem(CURRENT);
  const title = element(
    "button",
    { type: "button", class: "plain", "aria-current": here ? "true" : null, onclick: () => open(session.id) },
    element("span", { class: "title" }, session.title),
    element("span", { class: "help" }, `${when} · ${count}`),
  );
  const made = element("li", { class: "row" }, title);
  made.append(twice("Delete", `Delete the conversation “${session.title}”`, () => remove(session.id, made)));
  return made;
}

async function remove(id, row) {
  await json(`sessions/${id}`, { method: "DELETE" });
  if (id === sessionStorage.getItem(CURRENT)) {
    leave();
    begun();
  }
  row.remove();
  byId("conversations-close").focus();
  announce("Deleted");
}

/** A button that wants to be pressed a second time. */
export function twice(text, label, act) {
  const button = element("button", { type: "button", class: "quiet bad", "aria-label": label }, text);
  const calm = () => {
    button.textContent = text;
    button.setAttribute("aria-label", label);
    delete button.dataset.sure;
  };
  button.addEventListener("click", async () => {
    if (button.dataset.sure) {
      button.disabled = true;
      await act().catch((problem) => announce(problem.message));
      button.disabled = false;
      return;
    }
    button.dataset.sure = "yes";
    button.textContent = `${text}?`;
    button.setAttribute("aria-label", `${label}: press again to confirm`);
  });
  button.addEventListener("blur", calm);
  return button;
}
