// Before and after, one over the other, with a border that is moved. Loaded when first wanted.
import { texts } from "texts";
import { html, render, useEffect, useRef, useState } from "../../kit/dom.js";

const words = texts.image;

export function openCompare(before, after, { width, height }) {
  const place = document.body.appendChild(document.createElement("div"));
  const close = () => {
    render(null, place);
    place.remove();
  };
  render(html`<${Compare} before=${before} after=${after} shape=${width / height} close=${close} />`, place);
}

function Compare({ before, after, shape, close }) {
  const [share, setShare] = useState(50);
  const dialog = useRef();
  useEffect(() => dialog.current.showModal(), []);
  return html`<dialog class="mask-editor" ref=${dialog} aria-label=${words.compare} onClose=${close}>
    <div class="compare" style=${{ aspectRatio: shape, "--shape": shape, "--share": `${share}%` }}>
      <img src=${before} alt=${words.before} /><img class="after" src=${after} alt=${words.after} />
    </div>
    <div class="compare-bar"><span>${words.before}</span>
      <input type="range" min="0" max="100" value=${share} aria-label=${words.compareSlider} onInput=${(event) => setShare(event.target.valueAsNumber)} />
      <span>${words.after}</span>
      <button type="button" class="chip" onClick=${close}>${words.close}</button></div>
  </dialog>`;
}
