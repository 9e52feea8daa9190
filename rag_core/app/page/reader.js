// A note in full, in a dialog, with the passage that an answer rests on and the words it quotes.

import { json } from "./api.js";
import { byId, element } from "./element.js";
import { marked, quotedRanges } from "./marks.js";

/** What is shown of a note without a title. */
export const UNTITLED = "Untitled";

byId("reader-close").addEventListener("click", () => byId("reader").close());

/** Show the note of a citation. */
export async function read(citation, answer) {
  byId("reader-title").textContent = citation.title || UNTITLED;
  byId("reader-about").textContent = "Opening…";
  byId("reader-body").replaceChildren();
  byId("reader").showModal();
  try {
    const note = await json(`notes/${encodeURIComponent(citation.note_id)}`);
    byId("reader-about").textContent = about(note);
    byId("reader-body").replaceChildren(...passages(note.body, citation, answer));
    byId("reader-body").querySelector("mark, .passage")?.scrollIntoView({ block: "center" });
  } catch (problem) {
    byId("reader-about").textContent = problem.status === 404 ? "This note is no longer there." : problem.message;
  }
}

/** Author, date, verses and tags, in a line. */
export function about(note) {
  const verses = note.verses.map(([book, chapter, first, last]) => `${book} ${chapter}:${first}${last > first ? `–${last}` : ""}`);
  return [note.author, note.date, verses.join(", "), note.tags.join(", ")].filter(Boolean).join(" · ");
}

/** The body as nodes; a note that has changed since is searched for the passage. */
function passages(body, citation, answer) {
  const letters = Array.from(body); // positions count code points
  let start = letters.slice(0, citation.start).join("").length;
  if (!body.startsWith(citation.quote, start)) start = body.indexOf(citation.quote);
  if (start < 0) return marked(body, quotedRanges(body, answer));
  const passage = body.slice(start, start + citation.quote.length);
  const nodes = marked(passage, quotedRanges(passage, answer));
  return [
    body.slice(0, start),
    element("span", { class: "passage" }, ...nodes),
    body.slice(start + passage.length),
  ];
}
