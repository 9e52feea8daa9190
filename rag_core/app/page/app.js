// The page: who asks signs in with a key, then asks.

import { json, key, onResponse } from "./api.js";
import * as asking from "./ask.js";
import * as conversations from "./conversations.js";
import { announce, byId } from "./element.js";
import * as standing from "./standing.js";

function signedOut(problem = "") {
  key.forget();
  conversations.leave();
  asking.clear();
  standing.reset();
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  for (const id of ["ask", "menu"]) byId(id).hidden = true;
  byId("sign-in").hidden = false;
  byId("key").value = "";
  byId("key-problem").textContent = problem;
  byId("key").focus();
}

function signedIn() {
  byId("sign-in").hidden = true;
  byId("key").value = "";
  byId("key-problem").textContent = "";
  for (const id of ["ask", "menu"]) byId(id).hidden = false;
  byId("question").focus();
  standing.ask();
  conversations.resume();
}

async function signIn(event) {
  event.preventDefault();
  key.set(byId("key").value.trim());
  announce("Signing in");
  try {
    await json("notes?limit=1");
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
conversations.prepare({ open: asking.recall, clear: asking.clear });
byId("sign-in").addEventListener("submit", signIn);
byId("sign-out").addEventListener("click", () => signedOut());
if (key.get()) signedIn();
else signedOut();
