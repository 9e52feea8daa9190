// Which words of a passage an answer quotes, and texts with such words marked.

import { element } from "./element.js";

const LEAST = 16; // characters: less is found by chance
const SENTENCES = /[^.!?…]+[.!?…]*["”’)]*/gu;
const EDGES = /^[\s"“”‘’'…()-]+|[\s"“”‘’'…()-]+$/gu;

/** The ranges `[start, end]` of `text` whose words the answer repeats, in order, apart. */
export function quotedRanges(text, answer) {
  const ranges = [];
  for (const phrase of phrases(answer)) {
    const found = new RegExp(phrase, "iu").exec(text);
    if (found) ranges.push([found.index, found.index + found[0].length]);
  }
  return merged(ranges);
}

/** What might be quoted: the answer between its citations, sentence by sentence; as patterns. */
function phrases(answer) {
  return answer
    .split(/\[\d+\]/u)
    .flatMap((part) => part.match(SENTENCES) || [])
    .map((sentence) => sentence.replace(EDGES, ""))
    .filter((sentence) => sentence.length >= LEAST)
    .map((sentence) => sentence.split(/\s+/u).map(literal).join("\\s+"));
}

function literal(word) {
  return word.replace(/[\\^$.*+?()[\]{}|/-]/gu, "\\$&").replace(/["“”]/gu, '["“”]').replace(/['‘’]/gu, "['‘’]");
}

function merged(ranges) {
  const apart = [];
  for (const [start, end] of ranges.sort((a, b) => a[0] - b[0])) {
    const last = apart.at(-1);
    if (last && start <= last[1] + 1) last[1] = Math.max(last[1], end);
    else apart.push([start, end]);
  }
  return apart;
}

/** The text as nodes, with those ranges in `mark`. */
export function marked(text, ranges) {
  const nodes = [];
  let at = 0;
  for (const [start, end] of ranges) {
    nodes.push(text.slice(at, start), element("mark", {}, text.slice(start, end)));
    at = end;
  }
  return [...nodes, text.slice(at)];
}

const AROUND = 90; // characters on each side of what is quoted
const WHOLE = 280; // characters of a passage of which nothing is quoted word by word

/** The quoted words with a little of what stands around them, as nodes. */
export function excerpt(text, ranges) {
  if (!ranges.length) return [text.length > WHOLE ? `${text.slice(0, wordEnd(text, WHOLE))} …` : text];
  const from = Math.max(0, ranges[0][0] - AROUND), to = Math.min(text.length, ranges.at(-1)[1] + AROUND);
  const start = from ? Math.min(ranges[0][0], wordEnd(text, from) + 1) : 0, end = wordEnd(text, to);
  const shown = text.slice(start, end);
  const moved = ranges.map(([first, last]) => [first - start, last - start]);
  return [start ? "… " : "", ...marked(shown, moved), end < text.length ? " …" : ""];
}

/** Where the word at that position ends. */
function wordEnd(text, at) {
  const space = text.slice(at).search(/\s/u);
  return space < 0 ? text.length : at + space;
}
