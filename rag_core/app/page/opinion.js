// What the reader thinks of an answer: a thumb, and a comment if there is more to say.

import { json } from "./api.js";
import { announce, drawing, element } from "./element.js";

const THUMB = "M7 11v9H4v-9zM7 11l4-8c1.7 0 2.5 1.2 2.2 2.8L12.6 9H19a1.8 1.8 0 0 1 1.8 2.2l-1.5 7A2.2 2.2 0 0 1 17.2 20H7";
const THANKS = "Thank you.";

/** Thumbs for an answer to `question`, and room for a comment once one is pressed. */
export function opinion(answer, question) {
  const given = { digest: answer.digest, question, thumb: "", comment: "", note_ids: cited(answer) };
  const told = element("span", { class: "help", role: "status" });
  const row = element("div", { class: "opinion", role: "group", "aria-label": "Was this answer good?" });
  const thumbs = ["up", "down"].map((way) => thumb(way, () => give(way)));
  row.append(...thumbs, told);

  async function give(way) {
    given.thumb = way;
    for (const each of thumbs) each.setAttribute("aria-pressed", String(each.dataset.way === way));
    if (!row.querySelector(".comment")) row.append(comment(given, keep));
    await keep();
  }

  async function keep() {
    try {
      await json("feedback", { method: "POST", body: given });
      told.textContent = THANKS;
      return true;
    } catch (problem) {
      told.textContent = problem.message;
      return false;
    }
  }
  return row;
}

function cited(answer) {
  return [...new Set(answer.citations.map((each) => each.note_id))];
}

function thumb(way, onclick) {
  const label = way === "up" ? "Good answer" : "Bad answer";
  const properties = { type: "button", class: `quiet thumb ${way}`, "aria-pressed": "false", "aria-label": label, title: label, "data-way": way, onclick };
  return element("button", properties, drawing(THUMB));
}

function comment(given, keep) {
  const words = element("textarea", { rows: 2, maxLength: 2000, "aria-label": "Comment on this answer", placeholder: "What was good or wrong? (optional)" });
  const send = element("button", { type: "submit", class: "quiet" }, "Send comment");
  const form = element("form", { class: "comment" }, words, element("div", { class: "row" }, send));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    given.comment = words.value.trim();
    if (!(await keep())) return;
    form.remove();
    announce(THANKS);
  });
  return form;
}
