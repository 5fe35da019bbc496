// What can be done with a finished picture; in the list the frequent ones are shown, in the large view all.
import { texts } from "texts";
import { enlarge, isUpscale, reuse, vary } from "./actions.js";
import { toast } from "../kit/toasts.js";
import { setInput, takesPictures } from "./bring.js";
import { draft } from "./draft.js";
import { paint } from "./input.js";
import { cardOf, catalogue, does } from "./models.js";
import { hasOrigin, originUrl } from "./origins.js";
import { copyLink, copyParameters, download, fullUrl, inputOf } from "./pictures.js";

const words = texts.image;

export function toolsOf(view, image) {
  // What was upscaled has no model's settings to go on with; as an input it is as good as any.
  const card = isUpscale(view) ? null : cardOf(view.model);
  return [
    ...catalogue.get().upscales.map((factor, index) => (
      { name: `upscale${factor}`, letter: words.upscaleShort, icon: "upscale", label: words.upscale(factor), isFrequent: index === 0, act: () => enlarge(view, image, factor) })),
    does(card, "image-to-image") && { name: "variations", letter: words.variationsShort, icon: "variations", label: words.variations, isFrequent: true, act: () => vary(view, inputOf(view, image)) },
    takesPictures(card ?? cardOf(draft.get().model)) && { name: "input", icon: "image", label: words.useAsInput, isFrequent: true, closes: true, act: () => start(view, image) },
    does(card, "inpainting") && { name: "inpaint", icon: "brush", label: words.inpaint, closes: true, act: () => inpaint(view, image) },
    hasOrigin(view) && { name: "compare", icon: "compare", label: words.compare, closes: true, act: () => compare(view, image) },
    { name: "download", icon: "down", label: words.download, isFrequent: true, act: () => download(view, image) },
    card && { name: "seed", icon: "seed", label: words.sameSeed, closes: true, act: () => reuse(view, image.seed) },
    { name: "link", icon: "link", label: words.copyLink, act: () => copyLink(view, image) },
    card && { name: "parameters", icon: "code", label: words.copyParameters, act: () => copyParameters(view, image) },
  ].filter(Boolean);
}

async function compare(view, image) {
  const [{ openCompare }, before] = await Promise.all([import("./compare/compare.js"), originUrl(view)]);
  if (before) openCompare(before, fullUrl(view, image), image);
  else toast(words.gone);
}

function start(view, image) {
  if (!isUpscale(view) && draft.get().model !== view.model) draft.change({ model: view.model });
  setInput(inputOf(view, image));
  scrollTo({ top: 0 });
  document.getElementById("prompt")?.focus();
}

function inpaint(view, image) {
  if (!draft.get().prompt) draft.change({ prompt: view.request.prompt });
  start(view, image);
  paint();
}
