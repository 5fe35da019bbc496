// The input picture in the composer: what it is, how much of it may change, and where.
import { texts } from "texts";
import { html, useRef } from "../kit/dom.js";
import { Slider } from "../kit/field.js";
import { Icon } from "../kit/icons.js";
import { useStore } from "../kit/store.js";
import { bring, dropInput, takesPictures } from "./bring.js";
import { draft } from "./draft.js";
import { does } from "./models.js";

const words = texts.input;
// What the server takes where nothing is said: with a mask, the painted part is drawn wholly anew.
export const STRENGTH = { default: 0.6, masked: 1, min: 0.05, max: 1 };

export function AddInput({ card }) {
  const file = useRef();
  const hasInput = useStore(draft, (now) => now.input !== null);
  if (!takesPictures(card) || hasInput) return null;
  const choose = (event) => {
    const [chosen] = event.target.files;
    event.target.value = "";
    if (chosen) bring(chosen);
  };
  return html`<button type="button" class="chip round" title=${`${words.add}. ${words.addHelp}`} aria-label=${words.add} onClick=${() => file.current.click()}>
      <${Icon} name="image" /></button>
    <input ref=${file} type="file" accept="image/*" hidden onChange=${choose} />`;
}

export function InputStrip({ card }) {
  const { input, mask, strength } = useStore(draft);
  if (!input) return null;
  return html`<div class="input-strip" role="group" aria-label=${words.label}>
    <span class="input-picture"><img src=${input.url} alt=${words.label} />
      ${mask && html`<img class="mask" src=${mask.url} alt="" />`}</span>
    ${input.isUploading ? html`<span class="muted">${words.uploading}</span>` : html`
      ${does(card, "inpainting") && html`<button type="button" class="chip" onClick=${paint}>
        <${Icon} name="brush" /> <span>${mask ? words.maskSet : words.mask}</span></button>`}
      ${does(card, "image-to-image") && html`<${Slider} name="strength" step="0.05" range=${STRENGTH}
        value=${strength ?? (mask ? STRENGTH.masked : STRENGTH.default)} onChange=${(value) => draft.change({ strength: value })} />`}`}
    <button type="button" class="icon-button" title=${words.remove} aria-label=${words.remove} onClick=${dropInput}><${Icon} name="close" /></button>
  </div>`;
}

export async function paint() {
  const { openMaskEditor } = await import("./mask/editor.js");
  openMaskEditor();
}
