// Asking: the question goes out, the answer is shown as it comes, and can be stopped.

import * as answers from "./answer.js";
import { asked } from "./api.js";
import * as conversations from "./conversations.js";
import { announce, byId, element } from "./element.js";
import { opinion } from "./opinion.js";
import * as options from "./options.js";
import { paid } from "./standing.js";

let underWay = null;
let refused = () => {};

/** Make the form ask; `onRefused` is called where the key does not hold. */
export function prepare(onRefused) {
  refused = onRefused;
  const form = byId("composer"), question = byId("question");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = question.value.trim();
    if (!text || underWay) return;
    question.value = "";
    fit(question);
    ask(text);
  });
  question.addEventListener("input", () => fit(question));
  question.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  byId("stop").addEventListener("click", stop);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) stop();
  });
}

/** Begin anew: no question, no answer. */
export function clear() {
  stop();
  byId("thread").replaceChildren();
  byId("welcome").hidden = false;
}

function stop() {
  underWay?.abort();
}

function fit(area) {
  area.rows = Math.min(6, area.value.split("\n").length);
}

async function ask(text) {
  await answered(begun(text), () => conversing(text));
}

/** The events of an answer within the conversation; where that is gone, a new one is begun. */
async function* conversing(text) {
  const within = async () => ({ question: text, session: (await conversations.current()) || null, ...options.body() });
  try {
    yield* asked(await within(), underWay.signal, options.headers());
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    conversations.leave();
    yield* asked(await within(), underWay.signal, options.headers());
  }
}

/** Show the answer whose events come. */
async function answered(turn, events) {
  underWay = new AbortController();
  busy(true);
  try {
    for await (const event of events()) take(turn, event);
    if (!turn.ended) throw new Error("The answer broke off.");
  } catch (error) {
    if (error.name === "AbortError") end(turn, "Stopped.");
    else if (error.status === 401) refused(error);
    else failed(turn, error, events);
  } finally {
    underWay = null;
    busy(false);
  }
}

function take(turn, { name, data }) {
  if (name === "token") grow(turn, data.text);
  else if (name === "answer") show(turn, data);
  else if (name === "error") throw Object.assign(new Error(data.detail || data.title), { code: data.code });
}

/** The text so far, a paragraph for each line; citations become buttons when it is whole. */
function grow(turn, text) {
  turn.text += text;
  const lines = turn.text.split("\n").filter((line) => line.trim());
  lines.forEach((line, index) => {
    const shown = turn.words.children[index] ?? turn.words.appendChild(element("p"));
    if (shown.textContent !== line) shown.textContent = line;
  });
}

/** Show a conversation of before: its questions, each with a way to its answer. */
export function recall(turns) {
  clear();
  for (const each of turns) {
    const turn = begun(each.asked, each.question);
    const again = element("button", { type: "button", class: "quiet" }, "Show the answer");
    again.addEventListener("click", () => {
      if (underWay) return;
      again.remove();
      turn.answer.append(turn.words);
      answered(turn, () => asked({ question: each.question }, underWay.signal));
    });
    turn.words.replaceWith(again);
  }
}

/** A new turn at the end of the thread; `understood` is what a question of before was taken for. */
function begun(text, understood = text) {
  const words = element("div", { class: "words", "aria-busy": "true" });
  const answer = element("div", { class: "answer" }, element("h3", { class: "asked" }, text), words);
  const whole = element("article", { class: "turn" }, answer);
  byId("welcome").hidden = true;
  byId("thread").append(whole);
  whole.scrollIntoView({ block: "start" });
  tellUnderstood(words, text, understood);
  return { whole, answer, words, asked: text, question: understood, text: "", ended: false };
}

/** A follow-up is answered as a question of its own: say which. */
function tellUnderstood(words, asked, understood) {
  if (understood === asked || words.previousElementSibling.matches(".understood")) return;
  words.before(element("p", { class: "understood help" }, `Understood as: ${understood}`));
}

function show(turn, answer) {
  turn.words.replaceChildren(...answers.words(answer.text, answer.citations, (number) => lead(turn, number)));
  turn.answer.append(...answers.remarks(answer).map((text) => element("p", { class: "notice" }, text)));
  turn.answer.append(element("p", { class: "about" }, ...answers.about(answer)));
  const question = answer.standalone || turn.question || turn.asked;
  tellUnderstood(turn.words, turn.asked, question);
  turn.answer.append(opinion(answer, question));
  const sources = answers.sources(answer);
  if (sources) turn.whole.append(sources);
  paid(answer);
  end(turn);
  turn.whole.scrollIntoView({ block: "start" });
}

/** Lead from a citation to its source. */
function lead(turn, number) {
  const sources = turn.whole.querySelector(".sources");
  sources.open = true;
  for (const each of sources.querySelectorAll(".source")) {
    const here = each.dataset.number === String(number);
    each.classList.toggle("current", here);
    if (here) {
      each.focus({ preventScroll: true });
      each.scrollIntoView({ block: "nearest" });
    }
  }
}

function end(turn, remark = "") {
  turn.ended = true;
  turn.words.setAttribute("aria-busy", "false");
  if (!remark) return;
  if (!turn.words.textContent) turn.words.remove();
  turn.answer.append(element("p", { class: "help" }, remark));
}

function failed(turn, error, events) {
  const retry = element("button", { type: "button", class: "quiet" }, "Ask again");
  retry.addEventListener("click", () => {
    if (underWay) return;
    const anew = begun(turn.asked, turn.question);
    turn.whole.replaceWith(anew.whole);
    answered(anew, events);
  });
  const row = element("p", { class: "problem", role: "alert" }, error.message);
  end(turn);
  if (!turn.words.textContent) turn.words.remove();
  turn.answer.append(row, element("p", {}, retry));
  if (error.retryAfterS > 1) wait(retry, error.retryAfterS);
}

/** Hold a button back until it is of use again. */
function wait(button, seconds) {
  const until = performance.now() + seconds * 1000;
  const text = button.textContent;
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${text} in ${left} s` : text;
    if (left <= 0) clearInterval(timer);
  };
  const timer = setInterval(tick, 500);
  tick();
}

function busy(now) {
  byId("send").hidden = now;
  byId("stop").hidden = !now;
  announce(now ? "Answering" : "");
  if (!now && !byId("ask").hidden && !document.querySelector("dialog[open]")) byId("question").focus();
}
