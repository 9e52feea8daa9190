// The page: who asks signs in with a key, then asks.

import { json, key, onResponse } from "./api.js";
import * as asking from "./ask.js";
import * as conversations from "./conversations.js";
import * as documents from "./documents.js";
import { announce, byId } from "./element.js";
import * as options from "./options.js";
import * as standing from "./standing.js";

function signedOut(problem = "") {
  key.forget();
  conversations.leave();
  asking.clear();
  standing.reset();
  options.reset();
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  documents.clear();
  for (const id of ["ask", "documents", "menu"]) byId(id).hidden = true;
  byId("sign-in").hidden = false;
  byId("key").value = "";
  byId("key-problem").textContent = problem;
  byId("key").focus();
}

function signedIn() {
  byId("sign-in").hidden = true;
  byId("key").value = "";
  byId("key-problem").textContent = "";
  byId("menu").hidden = false;
  view("ask");
  standing.ask();
  options.ask();
  conversations.resume();
}

/** Show one of the two: `ask` or `documents`. */
function view(name) {
  for (const each of ["ask", "documents"]) {
    byId(each).hidden = each !== name;
    byId(`show-${each}`).setAttribute("aria-pressed", String(each === name));
  }
  if (name === "documents") documents.show();
  else {
    byId("question").focus();
    welcome().catch((problem) => problem.status === 401 && signedOut(problem.message));
  }
}

/** Whether the key holds, and whether there is anything to ask of. */
async function welcome() {
  const { notes } = await json("notes?limit=1");
  byId("no-notes").hidden = notes.length > 0;
}

async function signIn(event) {
  event.preventDefault();
  key.set(byId("key").value.trim());
  announce("Signing in");
  try {
    await welcome();
    announce("Signed in");
    signedIn();
  } catch (problem) {
    key.forget();
    byId("key-problem").textContent = problem.status === 401 ? "This key is not known, or no longer in force." : problem.message;
    byId("key").select();
  }
}

onResponse(standing.read);
asking.prepare((problem) => signedOut(problem.message));
documents.prepare();
options.prepare();
for (const each of ["ask", "documents"]) byId(`show-${each}`).addEventListener("click", () => view(each));
conversations.prepare({
  open(turns) {
    view("ask");
    asking.recall(turns);
  },
  clear() {
    asking.clear();
    view("ask");
  },
});
byId("sign-in").addEventListener("submit", signIn);
byId("sign-out").addEventListener("click", () => signedOut());
if (key.get()) signedIn();
else signedOut();
