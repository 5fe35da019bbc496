// What a screen reader says by itself. Sparingly: a job's stages, not its steps.
import { html } from "./dom.js";
import { createStore, useStore } from "./store.js";

const said = createStore({ text: "", count: 0 });

export function speak(text) {
  said.set({ text, count: said.get().count + 1 });
}

// The same words twice in a row are two announcements: the hidden mark differs.
export function LiveRegion() {
  const { text, count } = useStore(said);
  return html`<div class="unseen" role="status" aria-live="polite">${text}${count % 2 ? "\u200b" : ""}</div>`;
}
