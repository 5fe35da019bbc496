// What the server says of itself, anew every two seconds while somebody looks.
import { ask, whenUp } from "../kit/server.js";
import { createStore } from "../kit/store.js";

const PERIOD_MS = 2000;

export const operations = createStore({ now: null, isRefused: false });

let timer = null;

export async function look() {
  clearTimeout(timer);
  try {
    operations.set({ now: await ask("admin/operations"), isRefused: false });
  } catch (error) {
    if (error.status === 403) return operations.set({ now: null, isRefused: true });
    if (error.status === 401) return undefined;
    await whenUp();
  }
  if (!document.hidden) timer = setTimeout(look, PERIOD_MS);
  return undefined;
}

export function stopLooking() {
  clearTimeout(timer);
}

addEventListener("visibilitychange", () => !document.hidden && operations.get().now && look());
