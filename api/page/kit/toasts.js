// Short messages at the foot of the page, some with one thing to do.
import { texts } from "texts";
import { html } from "./dom.js";
import { Icon } from "./icons.js";
import { createStore, useStore } from "./store.js";

const SHOWN_MS = 6000;
const MOST = 3;

const toasts = createStore([]);
let count = 0;

// `after` is called when it goes without its action being taken. Returns what takes it away.
export function toast(text, { kind = "info", action, after, forMs = SHOWN_MS } = {}) {
  const id = ++count;
  let isOver = false;
  const end = (byAction) => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    toasts.set(toasts.get().filter((other) => other.id !== id));
    if (!byAction) after?.();
  };
  const timer = setTimeout(end, forMs);
  const act = action && (() => { end(true); action.run(); });
  const kept = toasts.get();
  if (kept.length >= MOST) kept[0].end();
  toasts.set([...toasts.get(), { id, text, kind, label: action?.label, act, end }]);
  return end;
}

// An error of the server, in its own words: they say what to do.
export function complain(error) {
  if (error.name === "AbortError" || error.status === 401) return;
  const isAway = error.status === undefined;
  const text = isAway ? texts.problem.away : error.message || texts.problem.unexpected;
  toast(text, { kind: "error" });
}

export function Toasts() {
  const shown = useStore(toasts);
  return html`<div class="toasts" role="region" aria-live="polite" aria-label=${texts.problem.messages}>
    ${shown.map(({ id, text, kind, label, act, end }) => html`
      <div class="toast ${kind}" key=${id}>
        <span>${text}</span>
        ${label && html`<button class="quiet" onClick=${act}>${label}</button>`}
        <button class="icon-button" aria-label=${texts.problem.dismiss} onClick=${() => end()}><${Icon} name="close" /></button>
      </div>`)}
  </div>`;
}
