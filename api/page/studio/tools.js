// What can be done with a finished picture; in the list the frequent ones are shown, in the large view all.
import { texts } from "texts";
import { post, reuse, vary } from "./actions.js";
import { toast } from "../kit/toasts.js";
import { setInput, takesPictures } from "./bring.js";
import { draft } from "./draft.js";
import { paint } from "./input.js";
import { cardOf, catalogue, does } from "./models.js";
import { hasOrigin, originUrl } from "./origins.js";
import { copyLink, copyParameters, download, fullUrl, inputOf } from "./pictures.js";

const words = texts.image;

export function toolsOf(view, image) {
  const card = cardOf(view.model);
  return [
    catalogue.get().upscales && { name: "upscale", letter: words.upscaleShort, icon: "upscale", label: words.upscale, isFrequent: true, act: () => upscale(view, image) },
    does(card, "image-to-image") && { name: "variations", letter: words.variationsShort, icon: "variations", label: words.variations, isFrequent: true, act: () => vary(view, inputOf(view, image)) },
    takesPictures(card) && { name: "input", icon: "image", label: words.useAsInput, isFrequent: true, closes: true, act: () => start(view, image) },
    does(card, "inpainting") && { name: "inpaint", icon: "brush", label: words.inpaint, closes: true, act: () => inpaint(view, image) },
    hasOrigin(view.id) && { name: "compare", icon: "compare", label: words.compare, closes: true, act: () => compare(view, image) },
    { name: "download", icon: "down", label: words.download, isFrequent: true, act: () => download(view, image) },
    { name: "seed", icon: "seed", label: words.sameSeed, closes: true, act: () => reuse(view, image.seed) },
    { name: "link", icon: "link", label: words.copyLink, act: () => copyLink(view, image) },
    { name: "parameters", icon: "code", label: words.copyParameters, act: () => copyParameters(view, image) },
  ].filter(Boolean);
}

const upscale = (view, image) =>
  post(`images/${image.id}/upscale`, { factor: 2 }, { shown: { ...view.request, n: 1 }, origin: inputOf(view, image) });

async function compare(view, image) {
  const [{ openCompare }, before] = await Promise.all([import("./compare/compare.js"), originUrl(view.id)]);
  if (before) openCompare(before, fullUrl(view, image), image);
  else toast(words.gone);
}

function start(view, image) {
  if (draft.get().model !== view.model) draft.change({ model: view.model });
  setInput(inputOf(view, image));
  scrollTo({ top: 0 });
  document.getElementById("prompt")?.focus();
}

function inpaint(view, image) {
  if (!draft.get().prompt) draft.change({ prompt: view.request.prompt });
  start(view, image);
  paint();
}
