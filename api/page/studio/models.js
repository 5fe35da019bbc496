// The models that can be asked for, as `GET /models` tells.
import { ask } from "../kit/server.js";
import { createStore, useStore } from "../kit/store.js";

export const catalogue = createStore({ models: [], upscales: [], maxImages: 1, maxPromptChars: 4000, isKnown: false });

export async function loadModels() {
  const answer = await ask("models");
  catalogue.set({
    models: answer.models, upscales: answer.upscales, maxImages: answer.max_images_per_job, maxPromptChars: answer.max_prompt_chars, isKnown: true,
  });
}

// The model of that name; else the server's default.
export function cardOf(id, { models } = catalogue.get()) {
  return models.find((card) => card.id === id) ?? models.find((card) => card.is_default) ?? models[0] ?? null;
}

// What a model can be asked for, as `GET /models` names it.
export const does = (card, task) => Boolean(card?.tasks?.includes(task));

export const useCard = (id) => useStore(catalogue, (now) => cardOf(id, now));

const SHAPES = [["square", 1, 1], ["portrait", 3, 4], ["landscape", 4, 3], ["tall", 9, 16], ["wide", 16, 9]];

// Sizes of about the default's area in the usual shapes, on the model's grid and within its bounds.
export function shapesOf({ size }) {
  const area = size.width * size.height;
  return SHAPES.map(([name, across, down]) => {
    const scale = Math.sqrt(area / (across * down));
    return { name, width: onGrid(across * scale, size), height: onGrid(down * scale, size) };
  }).filter(({ width, height }) => width * height <= size.max_pixels);
}

export function onGrid(pixels, { min, max, multiple_of: grid }) {
  const nearest = Math.round(pixels / grid) * grid;
  return Math.min(Math.floor(max / grid) * grid, Math.max(Math.ceil(min / grid) * grid, nearest));
}
