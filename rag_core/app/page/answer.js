// An answer on the page: its words with citations, its sources beside it, how it came about.

import { element } from "./element.js";
import { excerpt, quotedRanges } from "./marks.js";
import { UNTITLED, read } from "./reader.js";
import { dollars } from "./standing.js";

const PROVENANCES = {
  FRESH: ["Fresh", "Written just now"],
  CACHED: ["Cached", "Given before, and the notes it rests on have not changed"],
  REVALIDATED: ["Revalidated", "Given before; your notes have changed since, but not what it rests on"],
  STALE: ["Stale", "An earlier answer, as the AI service is away"],
  DEGRADED: ["Degraded", "Quoted from your notes, as the AI service is away"],
  NO_CONTEXT: ["Nothing found", "No note of yours comes close enough"],
  REFUSED: ["Refused", "This looks like an attempt to change how answers are made"],
};
const WELL = new Set(["FRESH", "CACHED", "REVALIDATED"]);

const FLAGS = {
  question_truncated: "The question was cut short.",
  output_truncated: "The answer was cut short.",
  broken_off: "The AI service failed in the middle of this answer.",
  uncited: "The answer names no source.",
};

/** The text in paragraphs, with each [1] as a button that leads to its source. */
export function words(text, citations, lead) {
  const titles = new Map(citations.map((each) => [each.number, each.title]));
  return text.split("\n").filter((line) => line.trim()).map((line) => {
    const parts = line.split(/(\[\d+\])/u).map((part) => {
      const number = /^\[\d+\]$/u.test(part) ? Number(part.slice(1, -1)) : null;
      return titles.has(number) ? citation(number, titles.get(number), lead) : part;
    });
    return element("p", {}, ...parts);
  });
}

function citation(number, title, lead) {
  const label = `Source ${number}: ${title || UNTITLED}`;
  const properties = { type: "button", class: "cite", "aria-label": label, onclick: () => lead(number) };
  return element("button", properties, String(number));
}

/** A line on how the answer came about. */
export function about(answer) {
  const [name, meaning] = PROVENANCES[answer.provenance];
  const seconds = (answer.timings_ms.total ?? 0) / 1000;
  const parts = [
    element("span", { class: WELL.has(answer.provenance) ? "provenance" : "provenance low", title: meaning }, name),
    element("span", {}, seconds < 0.1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`),
    element("span", {}, dollars(answer.cost_usd)),
  ];
  if (answer.generator) parts.push(element("span", {}, answer.generator));
  return parts;
}

/** What the reader should know besides, in sentences; empty as a rule. */
export function remarks(answer) {
  const told = answer.flags.map((flag) => FLAGS[flag]).filter(Boolean);
  return [answer.notice, ...told].filter(Boolean);
}

/** The sources of an answer, to be folded away where the window is narrow; null without any. */
export function sources(answer) {
  if (!answer.citations.length) return null;
  const count = answer.citations.length;
  const list = element("ol", {}, ...answer.citations.map((each) => source(each, answer.text)));
  const open = matchMedia("(min-width: 56.01rem)").matches;
  const title = count === 1 ? "1 source" : `${count} sources`;
  return element("details", { class: "sources", open }, element("summary", {}, title), list);
}

function source(citation, text) {
  const where = [citation.date, citation.verses.join(", ")].filter(Boolean).join(" · ");
  const quote = element("p", { class: "quote" }, ...excerpt(citation.quote, quotedRanges(citation.quote, text)));
  const show = () => read(citation, text);
  return element(
    "li",
    { class: "source", "data-number": String(citation.number), tabIndex: -1 },
    element("h3", {}, element("span", { class: "number" }, String(citation.number)), citation.title || UNTITLED),
    where ? element("p", { class: "help" }, where) : null,
    quote,
    element("button", { type: "button", class: "quiet", onclick: show, "aria-label": `Show passage ${citation.number} in its note` }, "Show in note"),
  );
}
