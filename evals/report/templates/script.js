"use strict";
// Cases can be picked and sorted; without this script all of them stand in the page.
const FIRST = 12;

function pickable(box) {
  const form = box.querySelector("form");
  const list = box.querySelector(".list");
  const more = box.querySelector(".more");
  const output = form.querySelector("output");
  const cases = Array.from(list.children).map((element, place) => ({
    element, place,
    facets: JSON.parse(element.dataset.facets),
    rank: element.dataset.rank === "" ? Infinity : Number(element.dataset.rank),
    name: element.querySelector("summary .small").textContent,
    text: null,
  }));
  const orders = {
    listed: (a, b) => a.place - b.place,
    worst: (a, b) => a.rank - b.rank || a.place - b.place,
    best: (a, b) => b.rank - a.rank || a.place - b.place,
    name: (a, b) => a.name.localeCompare(b.name, "en", { numeric: true }),
  };
  let all = false;

  function holds(each, words) {
    each.text ??= each.element.textContent.toLowerCase();
    return words.every((word) => each.text.includes(word));
  }

  function show() {
    const chosen = Array.from(form.querySelectorAll("[data-facet]"), (select) => select.value);
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = cases.filter((each) =>
      chosen.every((value, facet) => !value || each.facets[facet] === value) && holds(each, words));
    const shown = new Set(all ? matching : matching.slice(0, FIRST));
    for (const each of cases) each.element.hidden = !shown.has(each);
    output.textContent = `${matching.length} of ${cases.length}`;
    more.hidden = shown.size === matching.length;
    more.textContent = `Show the other ${matching.length - shown.size}`;
  }

  function sort() {
    cases.sort(orders[form.elements.order.value]);
    list.append(...cases.map((each) => each.element));
    show();
  }

  form.addEventListener("input", (event) => (event.target.name === "order" ? sort() : show()));
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => { all = true; show(); });
  form.hidden = false;
  sort();
}

for (const box of document.querySelectorAll(".cases")) {
  if (box.querySelector("form")) pickable(box);
}

// Paper cannot be unfolded. Of the cases, those are printed that are shown: all would be a book.
let closed = [];
addEventListener("beforeprint", () => {
  closed = Array.from(document.querySelectorAll("details:not([open], [hidden])"));
  for (const each of closed) each.open = true;
});
addEventListener("afterprint", () => { for (const each of closed) each.open = false; });
