// What else a request can say: only what the chosen model can do.
import { texts } from "texts";
import { html } from "../kit/dom.js";
import { Choice, Field, Select, Slider } from "../kit/field.js";
import { Icon } from "../kit/icons.js";
import { useStore } from "../kit/store.js";
import { draft } from "./draft.js";
import { onGrid } from "./models.js";

const LEVELS = ["off", "low", "medium", "high"];
const SEED_MOST = 2 ** 32 - 1;
const { fields } = texts;

export function Settings({ card }) {
  const now = useStore(draft);
  const set = (field) => (value) => draft.change({ [field]: value });
  const levels = LEVELS.slice(0, LEVELS.indexOf(card.step_reuse.max) + 1);
  return html`<div class="settings">
    ${card.negative_prompt && html`<${Field} name="negative_prompt" wide control=${(id) => html`
      <input id=${id} type="text" value=${now.negative_prompt} onInput=${(event) => draft.change({ negative_prompt: event.target.value })} />`} />`}
    ${isRange(card.steps) && html`<${Slider} name="steps" step="1" range=${card.steps} value=${now.steps ?? card.steps.default} onChange=${set("steps")} />`}
    ${isRange(card.guidance_scale) && html`<${Slider} name="guidance_scale" step="0.5" range=${card.guidance_scale}
      value=${now.guidance_scale ?? card.guidance_scale.default} onChange=${set("guidance_scale")} />`}
    ${card.schedulers.length > 1 && html`<${Select} name="scheduler" value=${now.scheduler ?? card.scheduler} onChange=${set("scheduler")}
      options=${card.schedulers.map((name) => [name, name])} />`}
    <${Side} name="width" card=${card} /><${Side} name="height" card=${card} />
    <${Seed} seed=${now.seed} />
    ${levels.length > 1 && html`<${Choice} name="step_reuse" value=${now.step_reuse ?? card.step_reuse.default} onChange=${set("step_reuse")}
      options=${levels.map((level) => [level, fields.levels[level]])} />`}
    <${Choice} name="output_format" value=${now.output_format} onChange=${set("output_format")} options=${Object.entries(fields.formats)} />
  </div>`;
}

function Side({ name, card }) {
  const value = useStore(draft, (now) => now[name]) ?? card.size[name];
  const { min, max, multiple_of: grid } = card.size;
  const change = (event) => {
    const pixels = event.target.valueAsNumber;
    if (Number.isFinite(pixels)) draft.change({ [name]: onGrid(pixels, card.size) });
  };
  return html`<${Field} name=${name} control=${(id) => html`
    <input id=${id} type="number" min=${min} max=${max} step=${grid} value=${value} onChange=${change} />`} />`;
}

function Seed({ seed }) {
  const change = (event) => {
    const number = event.target.valueAsNumber;
    draft.change({ seed: Number.isInteger(number) && number >= 0 && number <= SEED_MOST ? number : null });
  };
  return html`<${Field} name="seed" control=${(id) => html`<span class="seed">
    <input id=${id} type="number" min="0" max=${SEED_MOST} step="1" placeholder=${fields.random} value=${seed ?? ""} onChange=${change} />
    <button type="button" class="icon-button" title=${fields.shuffle} aria-label=${fields.shuffle} disabled=${seed === null}
      onClick=${() => draft.change({ seed: null })}><${Icon} name="dice" /></button></span>`} />`;
}

const isRange = ({ min, max }) => min < max;
