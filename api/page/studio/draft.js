// The request that is being written. Null leaves a field to the model. It survives a reload of the tab.
import { createStore } from "../kit/store.js";

const NAME = "darkroom.draft";
const EMPTY = {
  prompt: "", negative_prompt: "", model: null, width: null, height: null, steps: null, guidance_scale: null,
  scheduler: null, seed: null, n: 1, step_reuse: null, output_format: "png", strength: null, input: null, mask: null,
};
// About so many previews of a job are asked for.
const PREVIEWS = 8;

export const draft = createStore({ ...EMPTY, ...kept() });

draft.subscribe((now) => {
  // A picture that is only in this page does not outlive it.
  const { input, mask, ...rest } = now;
  sessionStorage.setItem(NAME, JSON.stringify(rest));
});

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME)) ?? {};
  } catch {
    return {};
  }
}

// Sizes, steps and the rest belong to a model, so another model starts from its own.
export function chooseModel(model) {
  const { prompt, negative_prompt, n, output_format, input, mask } = draft.get();
  draft.set({ ...EMPTY, prompt, negative_prompt, n, output_format, input, mask, model });
}

const SHARED = ["prompt", "model", "width", "height", "steps", "guidance_scale", "scheduler", "step_reuse", "output_format", "output_quality"];

const INPUTS = ["image", "mask", "strength", "fit"];

// Fill in what an earlier job asked for; its seed only where it is wanted.
export function draftFrom(request, seed = null) {
  const shared = Object.fromEntries(SHARED.map((field) => [field, request[field] ?? null]));
  draft.set({ ...EMPTY, ...shared, negative_prompt: request.negative_prompt ?? "", n: seed === null ? request.n : 1, seed });
}

// What an earlier job asked for, as it may be asked again.
export function bodyAgain({ request }, { withSeed }) {
  const fields = [...SHARED, "negative_prompt", "n", "preview_every", "priority", ...INPUTS, ...(withSeed ? ["seed"] : [])];
  const isSaid = (value) => value !== null && value !== undefined && value.length !== 0;
  return Object.fromEntries(fields.map((field) => [field, request[field]]).filter(([, value]) => isSaid(value)));
}

// The body of POST /generate: only what this model can do.
export function bodyOf(now, card) {
  const steps = now.steps ?? card.steps.default;
  const body = {
    prompt: now.prompt,
    model: card.id,
    n: now.n,
    output_format: now.output_format,
    preview_every: Math.max(1, Math.round(steps / PREVIEWS)),
  };
  for (const field of ["width", "height", "steps", "guidance_scale", "scheduler", "seed", "step_reuse"]) {
    if (now[field] !== null) body[field] = now[field];
  }
  if (now.input?.id) {
    body.image = now.input.id;
    if (now.mask) body.mask = now.mask.id;
    if (now.strength !== null && card.tasks.includes("image-to-image")) body.strength = now.strength;
  }
  if (card.negative_prompt && now.negative_prompt.trim()) body.negative_prompt = now.negative_prompt;
  return body;
}
