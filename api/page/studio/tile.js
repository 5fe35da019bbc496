// One picture of a job: a preview that sharpens, then the picture.
import { texts } from "texts";
import { html, useState } from "../kit/dom.js";
import { Icon } from "../kit/icons.js";
import { reread } from "./jobs.js";
import { fullUrl, smallUrl } from "./pictures.js";

export function Tile({ view, index, preview, onOpen, children }) {
  const image = view.images[index];
  const { prompt, width, height } = view.request;
  const box = { aspectRatio: `${image?.width ?? width} / ${image?.height ?? height}` };
  if (!image) return html`<div class="tile waiting" style=${box}><${Preview} view=${view} url=${preview} /></div>`;
  return html`<div class="tile">
    <button class="open" style=${box} aria-label=${texts.image.label(index + 1, prompt)} onClick=${(event) => onOpen(index, event.currentTarget)}>
      ${preview && html`<${Preview} view=${view} url=${preview} />`}
      <${Finished} view=${view} image=${image} key=${image.id} />
    </button>
    ${children}
  </div>`;
}

function Preview({ view, url }) {
  if (!url) return html`<span class="grain" />`;
  const { step = 0, steps = 1 } = view.progress ?? {};
  const blur = view.status === "running" ? (1 - step / steps) * 10 : 0;
  return html`<img class="preview" src=${url} alt=${texts.image.previewAlt(view.request.prompt)}
    style=${{ "--blur": `${blur.toFixed(1)}px` }} />`;
}

function Finished({ view, image }) {
  const [state, setState] = useState("coming");
  // A page that was open for long has links that expired: the job has fresh ones.
  const fail = () => {
    setState(state === "coming" ? "again" : "gone");
    if (state === "coming") reread(view.id).catch(() => {});
  };
  if (state === "gone") return html`<span class="gone"><${Icon} name="image" /> ${texts.image.gone}</span>`;
  // A small file itself is sharper than its thumbnail, and no larger.
  const isSmall = image.width * image.height <= 256 * 256;
  return html`<img class="finished ${state === "here" ? "here" : ""}" loading="lazy" decoding="async" alt=${texts.image.alt(view.request.prompt)}
    width=${image.width} height=${image.height} src=${isSmall ? fullUrl(view, image) : smallUrl(view, image)}
    onLoad=${() => setState("here")} onError=${fail} />`;
}
