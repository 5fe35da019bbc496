// What a person does with jobs.
import { texts } from "texts";
import { ask, Problem, ServerAway, whenUp } from "../kit/server.js";
import { speak } from "../kit/speak.js";
import { complain, toast } from "../kit/toasts.js";
import { bodyAgain, bodyOf, draft, draftFrom } from "./draft.js";
import { forget, hide, learn, reread, sending } from "./jobs.js";
import { cardOf, catalogue } from "./models.js";
import { tellTabs } from "./tabs.js";
import { watchLive } from "./watcher.js";

const UNDO_MS = 6000;
// How far a variation goes from its picture.
const VARIATION = 0.6;

export function submitDraft() {
  const now = draft.get();
  const card = cardOf(now.model);
  if (!now.prompt.trim() || now.input?.isUploading) return undefined;
  if (!card) return whenModelsAreKnown(submitDraft);
  return post("generate", bodyOf(now, card));
}

// Who types faster than the models are told need not send twice; sending twice makes one job still.
let isAwaited = false;

function whenModelsAreKnown(act) {
  if (isAwaited) return;
  isAwaited = true;
  const leave = catalogue.subscribe(({ models }) => {
    if (!models.length) return;
    leave();
    isAwaited = false;
    act();
  });
}

// Four others like it, drawn from it.
export function vary(view, input) {
  const body = bodyAgain(view, { withSeed: false });
  return post("generate", { ...body, n: 4, image: input.id, strength: VARIATION });
}

export const isUpscale = ({ request }) => request.task === "upscale";

// So many times as wide and as high.
export function enlarge(view, image, factor) {
  const shown = { ...view.request, n: 1, width: image.width * factor, height: image.height * factor };
  return post(`images/${image.id}/upscale`, { factor }, { shown });
}

// The same request with another seed, or with its own after a failure.
export function submitAgain(view, { sameSeed = false } = {}) {
  const { request } = view;
  if (isUpscale(view)) return post(`images/${request.image[0]}/upscale`, { factor: request.upscale }, { shown: request });
  return post("generate", bodyAgain(view, { withSeed: sameSeed }));
}

// A job by whichever route makes one. Its card is there at once; an answer that was lost on the way makes no second job.
export async function post(path, body, { shown = body } = {}) {
  const entry = { id: token(), request: shown };
  sending.set([entry, ...sending.get()]);
  try {
    const view = await persistent(() => ask(path, { method: "POST", json: body, headers: { "Idempotency-Key": entry.id } }));
    learn(view);
    speak(texts.spoken.queued(view.queue_position ?? 0));
    watchLive();
    tellTabs();
  } catch (error) {
    complain(error);
  } finally {
    sending.set(sending.get().filter((other) => other !== entry));
  }
}

async function persistent(request) {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      const isAway = error instanceof ServerAway || (error instanceof Problem && error.code.endsWith("_unavailable"));
      if (!isAway) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300));
      await whenUp();
    }
  }
}

export async function cancel(id) {
  try {
    learn(await ask(`jobs/${id}/cancel`, { method: "POST" }));
    speak(texts.spoken.canceled);
    tellTabs();
  } catch (error) {
    if (error.code === "job_is_final") await reread(id).catch(complain);
    else complain(error);
  }
}

const doomed = new Map();

// It is gone from the page at once, and from the server when undoing is over.
export function remove(id) {
  hide(id, true);
  const end = toast(texts.job.deleted, {
    forMs: UNDO_MS,
    action: { label: texts.job.undo, run: () => { doomed.delete(id); hide(id, false); } },
    after: () => destroy(id),
  });
  doomed.set(id, end);
  speak(texts.spoken.deleted);
}

async function destroy(id) {
  if (!doomed.delete(id)) return;
  try {
    await persistent(() => ask(`jobs/${id}`, { method: "DELETE", keepalive: true }));
  } catch (error) {
    if (error.status !== 404) {
      hide(id, false);
      return complain(error);
    }
  }
  forget(id);
  return tellTabs();
}

// Whoever closes the page has not undone it.
addEventListener("pagehide", () => [...doomed.keys()].forEach(destroy));

export function reuse(view, seed = null) {
  draftFrom(view.request, seed);
  toast(seed === null ? texts.composer.reused : texts.composer.seedSet(seed));
  scrollTo({ top: 0 });
  document.getElementById("prompt")?.focus();
}

// crypto.randomUUID is only there on HTTPS and loopback.
function token() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
