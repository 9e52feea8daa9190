// The API as the page speaks it: every call carries the key, which lives in this tab's session only.

const KEY = "rag-key";

export const key = {
  get: () => sessionStorage.getItem(KEY) || "",
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

/** What the server said no with (RFC 9457), or that it could not be reached. */
export class Problem extends Error {
  constructor(body, retryAfterS = 0) {
    super(told(body));
    this.code = body.code || "";
    this.status = body.status || 0;
    this.fix = body.fix || "";
    this.requestId = body.request_id || "";
    this.retryAfterS = body.retry_after_s || retryAfterS;
  }
}

/** What was wrong; of one's own key, and of what was chosen, which of them. */
function told({ detail, title, field = "", fix = "" }) {
  const words = detail || title || "Something went wrong.";
  if (field === "X-Provider-Key") return `Your key ${words}. ${fix}.`;
  return field.startsWith("options") ? `${field} ${words}. ${fix}.` : words;
}

const UNREACHABLE = { title: "The server cannot be reached.", code: "unreachable" };
let heard = () => {};

/** Call `listener` with the headers of each response. */
export function onResponse(listener) {
  heard = listener;
}

/** The response to a request; a Problem is thrown where it is none that was hoped for. */
export async function send(path, { method = "GET", body, headers = {}, signal } = {}) {
  const given = { authorization: `Bearer ${key.get()}`, ...headers };
  if (body !== undefined && !(body instanceof Blob)) {
    given["content-type"] = "application/json";
    body = JSON.stringify(body);
  }
  let response;
  try {
    const options = { method, body, headers: given, signal, cache: "no-store", credentials: "omit" };
    response = await fetch(path, { ...options, referrerPolicy: "no-referrer" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(UNREACHABLE);
  }
  heard(response.headers);
  if (response.ok) return response;
  const told = await response.json().catch(() => ({ status: response.status }));
  throw new Problem(told, Number(response.headers.get("retry-after")) || 0);
}

/** The body of a response as JSON; null where it has none. */
export async function json(path, options) {
  const response = await send(path, options);
  return response.status === 204 ? null : response.json();
}

/**
 * The events of an answer as they come, each `{name, data}`. A server that does not stream answers
 * whole: that is one event `answer`.
 */
export async function* asked(body, signal, more = {}) {
  const headers = { accept: "text/event-stream", ...more };
  const response = await send("assistant/query", { method: "POST", body, headers, signal });
  if (!response.headers.get("content-type").startsWith("text/event-stream")) {
    yield { name: "answer", data: await response.json() };
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) yield parsed(event);
  }
}

function parsed(event) {
  const fields = Object.fromEntries(event.split("\n").map((line) => line.split(/: (.*)/s, 2)));
  return { name: fields.event, data: JSON.parse(fields.data) };
}
