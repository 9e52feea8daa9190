// Elements out of text: nothing here, and nothing on the page, turns text into markup.

/** The element of that id. */
export const byId = (id) => document.getElementById(id);

/**
 * A new element. `properties` are set on it (`class`, `aria-…` and `data-…` as attributes, `on…` as
 * listeners); children are elements or texts, and null is none.
 */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "class") made.className = value;
    else if (key.includes("-") || key === "role") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** A drawing from one path, for buttons that have a label besides. */
export function drawing(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** Tell a screen reader, and nobody else. */
export function announce(text) {
  byId("announcer").textContent = text;
}
