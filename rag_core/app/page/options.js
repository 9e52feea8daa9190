// How answers are written: by whom, how freely, how long, and by whose key. Kept in this tab's memory
// only: to load the page anew is to be back at the usual.

import { json } from "./api.js";
import { announce, byId, element } from "./element.js";

let chosen = {}, ownKey = "", offered = null;

const heat = () => byId("option-temperature"), tokens = () => byId("option-tokens");

/** Make the panel work. */
export function prepare() {
  const panel = byId("options");
  byId("show-options").addEventListener("click", () => panel.showModal());
  byId("options-close").addEventListener("click", () => panel.close());
  byId("options-form").addEventListener("submit", (event) => {
    event.preventDefault();
    take();
  });
  byId("options-usual").addEventListener("click", () => {
    usual();
    panel.close();
  });
  byId("option-provider").addEventListener("change", needed);
  byId("option-key").addEventListener("input", needed);
  panel.addEventListener("close", fill);
}

/** Ask what may be chosen; where nothing may, the panel stays hidden. */
export async function ask() {
  offered = await json("assistant/options").catch(() => null);
  byId("show-options").hidden = !offered?.allowed;
  if (!offered?.allowed) return;
  const named = offered.providers.map(({ name, model }) => element("option", { value: name }, `${name} (${model})`));
  byId("option-provider").replaceChildren(element("option", { value: "" }, "As usual"), ...named);
  heat().max = String(offered.max_temperature);
  Object.assign(tokens(), { min: String(offered.min_tokens), max: String(offered.max_tokens) });
  byId("option-tokens-help").textContent = `A whole number from ${offered.min_tokens} to ${offered.max_tokens}.`;
  byId("option-own-key").hidden = !offered.own_key;
  fill();
  tell();
}

/** Forget all that was chosen, the key too. */
export function reset() {
  usual();
  byId("show-options").hidden = true;
}

/** What goes into the body of a question, and into its headers. */
export const body = () => (Object.keys(chosen).length ? { options: { ...chosen } } : {});
export const headers = () => (ownKey ? { "x-provider-key": ownKey } : {});

function usual() {
  chosen = {};
  ownKey = "";
  fill();
  tell();
}

function take() {
  chosen = {};
  const provider = byId("option-provider").value;
  if (provider) chosen.provider = provider;
  if (heat().value) chosen.temperature = Number(heat().value);
  if (tokens().value) chosen.max_tokens = Number(tokens().value);
  ownKey = byId("option-key").value.trim();
  tell();
  byId("options").close();
  announce("Options taken over");
}

/** What is in force, into the fields; a key only as that there is one. */
function fill() {
  byId("option-provider").value = chosen.provider ?? "";
  heat().value = chosen.temperature ?? "";
  tokens().value = chosen.max_tokens ?? "";
  byId("option-key").value = ownKey;
  needed();
}

/** A key is for one provider: it must be named. */
function needed() {
  const missing = byId("option-key").value.trim() && !byId("option-provider").value;
  byId("option-provider").setCustomValidity(missing ? "Choose whose key it is." : "");
}

/** On the button, what differs from the usual. */
function tell() {
  const { provider, temperature, max_tokens } = chosen;
  const said = [
    provider,
    temperature === undefined ? "" : `temperature ${temperature}`,
    max_tokens === undefined ? "" : `${max_tokens} tokens`,
    ownKey && "your key",
  ].filter(Boolean);
  byId("show-options").textContent = said.length ? `Options: ${said.join(", ")}` : "Options";
}
