// Where one stands: how many questions are left, what they cost, and whether money is short.

import { json } from "./api.js";
import { byId, element } from "./element.js";

const PERIODS = { second: "this second", minute: "this minute", hour: "this hour", day: "today" };
const FEW = 0.2; // share of a limit below which it is worth a look

const shown = { remaining: null, amount: 0, period: "", everyone: false, cost: 0, budget: "", day: null };

/** Forget who was here. */
export function reset() {
  Object.assign(shown, { remaining: null, cost: 0, budget: "", day: null });
  byId("standing").hidden = true;
}

/** Ask where the limits and the budget are; nothing is shown where nobody knows. */
export async function ask() {
  const { limits, budget } = await json("assistant/limits").catch(() => ({ limits: [], budget: null }));
  shown.day = budget?.limit_usd ? budget : null;
  show();
  const tightest = limits.sort((a, b) => a.remaining - b.remaining)[0];
  if (tightest) take(tightest.limit, tightest.remaining, tightest.scope === "all");
}

/** Take note of the headers of a response: `RateLimit` names the limit, `RateLimit-Policy` has it. */
export function read(headers) {
  const now = /^"((user|all)-(\w+))";r=(\d+)/.exec(headers.get("ratelimit") || "");
  const policies = headers.get("ratelimit-policy") || "";
  const policy = now && new RegExp(`"${now[1]}";q=(\\d+)`).exec(policies);
  if (policy) take(`${policy[1]}/${now[3]}`, Number(now[4]), now[2] === "all");
}

/** Take note of what an answer cost, and of what it says of the budget. */
export function paid(answer) {
  const cost = answer.cost_usd + (answer.resolving_cost_usd ?? 0);
  shown.cost += cost;
  if (shown.day) shown.day.spent_usd += cost;
  if (answer.flags.includes("budget_spent")) shown.budget = "Today’s budget is spent";
  else if (answer.flags.includes("budget_tight")) shown.budget = "Today’s budget is nearly spent";
  else if (answer.provenance === "FRESH") shown.budget = "";
  show();
}

function take(limit, remaining, everyone) {
  const [amount, period] = limit.split("/");
  Object.assign(shown, { remaining, amount: Number(amount), period, everyone });
  show();
}

function show() {
  const parts = [];
  if (shown.budget) parts.push(element("span", { class: "tight" }, shown.budget));
  else if (shown.day) parts.push(money(shown.day));
  const few = shown.remaining < shown.amount * FEW;
  if (shown.remaining !== null && (few || !shown.everyone)) {
    const whose = shown.everyone ? " for everyone" : "";
    const text = `${shown.remaining} of ${shown.amount} questions left ${PERIODS[shown.period]}${whose}`;
    parts.push(element("span", { class: few ? "tight" : null }, text));
  }
  if (shown.cost > 0) parts.push(element("span", {}, `${dollars(shown.cost)} in this tab`));
  byId("standing").replaceChildren(...parts);
  byId("standing").hidden = parts.length === 0;
}

/** What is left of the day's budget, which answers under way may use. */
function money({ spent_usd, held_usd, limit_usd }) {
  const left = Math.max(0, limit_usd - spent_usd - held_usd);
  const text = `${left ? dollars(left) : "$0"} of ${dollars(limit_usd)} left today`;
  return element("span", { class: left < limit_usd * FEW ? "tight" : null }, text);
}

/** US dollars, with as many decimals as say something. */
export function dollars(amount) {
  if (amount === 0) return "no cost";
  return `$${amount.toFixed(amount < 0.01 ? 6 : 2)}`;
}
