// Follows the jobs that wait or run, and finds them again after the page was closed.
import { texts } from "texts";
import { follow } from "../kit/event_stream.js";
import { ask, link } from "../kit/server.js";
import { session } from "../kit/session.js";
import { speak } from "../kit/speak.js";
import { jobStore, learnAll, list, LIVE, liveJobs, refresh, reread } from "./jobs.js";

// A browser has six connections to a server in all its tabs, and requests need some: the rest is asked for now and then.
const MOST_STREAMS = 2;
const POLL_MS = 1500;
const FINAL = new Set(["succeeded", "failed", "canceled"]);

const streams = new Map();
let timer = null;

// Call it whenever a job came, or its state changed.
export function watchLive() {
  const live = document.hidden || session.get().asked ? [] : liveJobs();
  live.sort(byTurn);
  const wanted = new Set(live.slice(0, MOST_STREAMS).map(({ id }) => id));
  for (const [id, controller] of streams) if (!wanted.has(id)) stop(id, controller);
  for (const id of wanted) if (!streams.has(id)) start(id);
  if (live.length > wanted.size) timer ??= setTimeout(poll, POLL_MS);
}

export function startWatching() {
  list.subscribe(watchLive);
  link.subscribe((now) => now.isUp && catchUp());
  addEventListener("visibilitychange", () => (document.hidden ? watchLive() : catchUp()));
  session.subscribe(watchLive);
}

export async function catchUp() {
  if (session.get().asked) return;
  await refresh().catch(() => {});
  watchLive();
}

// Those that run before those that wait, and these in their order.
function byTurn(one, other) {
  if (one.status !== other.status) return one.status === "running" ? -1 : 1;
  return one.id < other.id ? -1 : 1;
}

function start(id) {
  const controller = new AbortController();
  streams.set(id, controller);
  follow(`jobs/${id}/events`, {
    tell: (type, data) => hear(id, type, data),
    isLast: (type) => FINAL.has(type),
    signal: controller.signal,
  })
    .then(() => (controller.signal.aborted ? null : ended(id)), () => reread(id).catch(() => {}))
    .finally(() => {
      if (streams.get(id) === controller) streams.delete(id);
      watchLive();
    });
}

function stop(id, controller) {
  streams.delete(id);
  controller.abort();
}

function hear(id, type, data) {
  const store = jobStore(id);
  if (!store || FINAL.has(type)) return;
  const { view } = store.get();
  // A stream that begins anew tells old news first.
  if (!LIVE.has(view.status)) return;
  if (type === "queued") {
    const { queue_position = 0, eta_s = null, notice = null, attempt = view.attempt } = data;
    store.change({ view: { ...view, status: "queued", queue_position, eta_s, notice, attempt, progress: null }, previews: null });
  } else if (type === "started") {
    if (view.status !== "running") speak(texts.spoken.started);
    store.change({ view: { ...view, status: "running", attempt: data.attempt, queue_position: null, notice: null } });
    watchLive();
  } else if (type === "step") {
    store.change({ view: { ...view, status: "running", queue_position: null, progress: { step: data.step, steps: data.steps } } });
  } else if (type === "preview") {
    store.change({ previews: data.images });
  }
}

async function ended(id) {
  await reread(id).catch(() => {});
  const view = jobStore(id)?.get().view;
  if (view) sayEnd(view);
}

function sayEnd(view) {
  const { spoken } = texts;
  if (view.status === "succeeded") speak(spoken.succeeded(view.images.length, view.request.prompt));
  if (view.status === "failed") speak(spoken.failed(texts.job.reasons[view.error?.code] ?? view.error?.message ?? ""));
}

async function poll() {
  timer = null;
  const unwatched = liveJobs().filter(({ id }) => !streams.has(id));
  if (unwatched.length && link.get().isUp) {
    try {
      const page = await ask("jobs?limit=50");
      learnAll(page.jobs);
      const there = new Set(page.jobs.map(({ id }) => id));
      await Promise.all(unwatched.filter(({ id }) => !there.has(id)).slice(0, 10).map(({ id }) => reread(id)));
    } catch {
      // `link` knows, and calls back
    }
  }
  watchLive();
}
