// Width and height: the usual shapes of a model, drawn small.
import { texts } from "texts";
import { html } from "../kit/dom.js";
import { useStore } from "../kit/store.js";
import { draft } from "./draft.js";
import { shapesOf } from "./models.js";

export function SizePicker({ card }) {
  const now = useStore(draft);
  const [label, about] = texts.fields.size;
  const width = now.width ?? card.size.width;
  const height = now.height ?? card.size.height;
  const shapes = shapesOf(card);
  const chosen = shapes.findIndex((shape) => shape.width === width && shape.height === height);
  const choose = (event) => {
    const shape = shapes[event.target.value];
    if (shape) draft.change({ width: shape.width, height: shape.height });
  };
  if (card.size.min === card.size.max) return null;
  return html`<label class="chip select" title=${about}><span class="unseen">${label}</span>
    <${Outline} width=${width} height=${height} />
    <select value=${chosen} onChange=${choose}>
      ${shapes.map((shape, index) => html`<option key=${shape.name} value=${index}>${texts.fields.shapes[shape.name]} ${shape.width} × ${shape.height}</option>`)}
      ${chosen < 0 && html`<option value="-1">${texts.fields.shapes.custom} ${width} × ${height}</option>`}
    </select></label>`;
}

function Outline({ width, height }) {
  const scale = 14 / Math.max(width, height);
  const [across, down] = [width * scale, height * scale];
  return html`<svg class="icon outline" viewBox="0 0 18 18" aria-hidden="true">
    <rect x=${(18 - across) / 2} y=${(18 - down) / 2} width=${across} height=${down} rx="1.5" /></svg>`;
}
