// Form fields that say what they do when one points at them.
import { texts } from "texts";
import { html, useId } from "./dom.js";

export function Field({ name, control, wide }) {
  const [label, about] = texts.fields[name];
  const id = useId();
  return html`<div class="field ${wide ? "wide" : ""}">
    <span class="label-row"><label for=${id}>${label}</label><${Help} label=${label} about=${about} /></span>
    ${control(id)}
  </div>`;
}

export function Help({ label, about }) {
  const id = useId();
  return html`<span class="help">
    <button type="button" aria-label=${texts.fields.about(label)} aria-describedby=${id}>?</button>
    <span role="tooltip" id=${id}>${about}</span>
  </span>`;
}

// One of a few: radio buttons that look like one control.
export function Choice({ name, options, value, onChange, showLabel = true }) {
  const [label, about] = texts.fields[name];
  const group = useId();
  return html`<fieldset class="field choice">
    <legend class=${showLabel ? "label-row" : "unseen"}><span>${label}</span>
      ${showLabel && html`<${Help} label=${label} about=${about} />`}</legend>
    <div class="segments" title=${showLabel ? undefined : about}>
      ${options.map(([key, text]) => html`<label key=${key}>
        <input type="radio" name=${group} value=${key} checked=${key === value} onChange=${() => onChange(key)} />
        <span>${text}</span>
      </label>`)}
    </div>
  </fieldset>`;
}

export function Select({ name, options, value, onChange }) {
  return html`<${Field} name=${name} control=${(id) => html`
    <select id=${id} onChange=${(event) => onChange(event.target.value)}>
      ${options.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`)}
    </select>`} />`;
}

// A number within the model's bounds: a slider for a feeling, a field for the exact value.
export function Slider({ name, range, step, value, onChange }) {
  const [label] = texts.fields[name];
  const change = (event) => {
    const number = event.target.valueAsNumber;
    if (Number.isFinite(number)) onChange(number);
  };
  return html`<${Field} name=${name} control=${(id) => html`<span class="slider">
    <input type="range" min=${range.min} max=${range.max} step=${step} value=${value} onInput=${change}
      aria-label=${label} tabindex="-1" />
    <input id=${id} type="number" min=${range.min} max=${range.max} step=${step} value=${value} onInput=${change} />
  </span>`} />`;
}
