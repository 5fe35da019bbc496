// Asks the server, and knows whether it can be reached.
import { createStore } from "./store.js";
import { keyRefused, session } from "./session.js";

const SLOWEST_RETRY_MS = 10_000;
// A proxy says these for a server that is away; ours says 503, by which code tells what is.
const AWAY = new Set([502, 504]);
const AWAY_CODES = new Set(["redis_unavailable", "broker_unavailable"]);

export const link = createStore({ isUp: true, since: 0 });

export class Problem extends Error {
  constructor(status, document, retryAfterS) {
    super(document.detail ?? "");
    this.status = status;
    this.code = document.code ?? "unexpected";
    this.errors = document.errors ?? [];
    this.retryAfterS = retryAfterS;
  }
}

export class ServerAway extends Error {}

export function urlOf(path) {
  return new URL(path, document.baseURI);
}

// The answer, whatever its status, unless the server is away.
export async function send(path, { method = "GET", headers = {}, body, signal, keepalive, key = session.get().key } = {}) {
  const authorization = key ? { Authorization: `Bearer ${key}` } : {};
  let answer;
  try {
    answer = await fetch(urlOf(path), {
      method, body, signal, keepalive, cache: "no-store", credentials: "omit", headers: { ...authorization, ...headers },
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    lost();
    throw new ServerAway("network");
  }
  if (AWAY.has(answer.status)) {
    lost();
    throw new ServerAway(String(answer.status));
  }
  return answer;
}

// The answer's JSON. Raises Problem, or ServerAway.
export async function ask(path, { json, headers = {}, ...options } = {}) {
  const sent = json === undefined ? options : { ...options, body: JSON.stringify(json) };
  const type = json === undefined ? {} : { "Content-Type": "application/json" };
  const key = session.get().key;
  const answer = await send(path, { ...sent, headers: { ...type, ...headers } });
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  throw await problemOf(answer, key);
}

export async function problemOf(answer, key) {
  const document = await answer.json().catch(() => ({}));
  if (answer.status === 401) keyRefused(key);
  if (answer.status === 503 && AWAY_CODES.has(document.code)) lost();
  return new Problem(answer.status, document, Number(answer.headers.get("Retry-After")) || null);
}

// Resolves when the server answers; at once if it does.
export function whenUp() {
  return link.get().isUp ? Promise.resolve() : new Promise((resolve) => {
    const stop = link.subscribe((now) => {
      if (!now.isUp) return;
      stop();
      resolve();
    });
  });
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function lost() {
  if (!link.get().isUp) return;
  link.set({ isUp: false, since: Date.now() });
  knock();
}

async function knock() {
  for (let wait = 500; !link.get().isUp; wait = Math.min(wait * 1.6, SLOWEST_RETRY_MS)) {
    // Spread, so that a server that comes back is not met by all of its pages at the same moment.
    await Promise.race([pause(wait * (0.75 + Math.random() / 2)), online()]);
    try {
      const answer = await fetch(urlOf("jobs?limit=1"), { cache: "no-store", headers: keyHeader() });
      if (answer.status < 500) link.set({ isUp: true, since: 0 });
    } catch {
      // still away
    }
  }
}

function keyHeader() {
  const { key } = session.get();
  return key ? { Authorization: `Bearer ${key}` } : {};
}

const online = () => new Promise((resolve) => addEventListener("online", resolve, { once: true }));
