// The jobs that the page knows of, each a store of its own: what happens to one draws one card anew.
import { ask } from "../kit/server.js";
import { createStore } from "../kit/store.js";

const PAGE = 30;
export const LIVE = new Set(["queued", "running"]);

// Ids sort by age: a list of jobs needs no other order.
export const list = createStore({ ids: [], cursor: null, isEnd: false, isLoading: false, isKnown: false });
// Jobs on their way to the server.
export const sending = createStore([]);
const jobs = new Map();

export const jobStore = (id) => jobs.get(id);
export const liveJobs = () => [...jobs.values()].map((job) => job.get().view).filter((view) => LIVE.has(view.status));

// What the server says of a job now.
export function learn(view) {
  const known = jobs.get(view.id);
  if (known) {
    const { previews } = known.get();
    known.change({ view, previews: view.status === "running" ? previews : null });
    return;
  }
  jobs.set(view.id, createStore({ view, previews: null, isHidden: false }));
  list.change({ ids: sorted([...list.get().ids, view.id]) });
}

export function learnAll(views) {
  const fresh = views.filter(({ id }) => !jobs.has(id));
  for (const view of fresh) jobs.set(view.id, createStore({ view, previews: null, isHidden: false }));
  if (fresh.length) list.change({ ids: sorted([...list.get().ids, ...fresh.map(({ id }) => id)]) });
  const known = new Set(fresh);
  for (const view of views) if (!known.has(view)) learn(view);
}

export function forget(id) {
  if (!jobs.delete(id)) return;
  list.change({ ids: list.get().ids.filter((other) => other !== id) });
}

export function forgetAll() {
  jobs.clear();
  list.set({ ids: [], cursor: null, isEnd: false, isLoading: false, isKnown: false });
}

export function hide(id, isHidden) {
  jobs.get(id)?.change({ isHidden });
}

// Raises Problem, ServerAway.
export async function loadMore() {
  const { cursor, isEnd, isLoading, isKnown } = list.get();
  if (isEnd || isLoading || (isKnown && !cursor)) return;
  list.change({ isLoading: true });
  try {
    const page = await ask(`jobs?limit=${PAGE}${cursor ? `&cursor=${cursor}` : ""}`);
    learnAll(page.jobs);
    list.change({ cursor: page.next_cursor, isEnd: page.next_cursor === null, isKnown: true });
  } finally {
    list.change({ isLoading: false });
  }
}

// The newest jobs anew: those made elsewhere appear, those deleted elsewhere go.
export async function refresh() {
  if (!list.get().isKnown) return loadMore();
  const page = await ask(`jobs?limit=${PAGE}`);
  learnAll(page.jobs);
  const there = new Set(page.jobs.map(({ id }) => id));
  const oldest = page.next_cursor ?? "";
  for (const id of list.get().ids) if (id >= oldest && !there.has(id)) forget(id);
}

// One job anew; it goes where the server has none.
export async function reread(id) {
  try {
    learn(await ask(`jobs/${id}`));
  } catch (error) {
    if (error.status !== 404) throw error;
    forget(id);
  }
}

const sorted = (ids) => ids.sort((one, other) => (one < other ? 1 : -1));
