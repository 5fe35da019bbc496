// Where a picture is asked for.
import { texts } from "texts";
import { html, useState } from "../kit/dom.js";
import { Choice } from "../kit/field.js";
import { Icon } from "../kit/icons.js";
import { useStore } from "../kit/store.js";
import { submitDraft } from "./actions.js";
import { chooseModel, draft } from "./draft.js";
import { AddInput, InputStrip } from "./input.js";
import { list } from "./jobs.js";
import { catalogue, useCard } from "./models.js";
import { Settings } from "./settings.js";
import { SizePicker } from "./size_picker.js";

const words = texts.composer;

export function Composer() {
  const now = useStore(draft);
  const card = useCard(now.model);
  const [isOpen, setOpen] = useState(false);
  const maxPromptChars = useStore(catalogue, (known) => known.maxPromptChars);

  const submit = (event) => {
    event?.preventDefault();
    submitDraft();
  };
  const onKeyDown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
  };
  return html`<form class="composer" onSubmit=${submit} onKeyDown=${onKeyDown}>
    <label class="unseen" for="prompt">${words.label}</label>
    <textarea id="prompt" rows="2" placeholder=${words.placeholder} maxlength=${maxPromptChars} value=${now.prompt} autofocus
      onInput=${(event) => draft.change({ prompt: event.target.value })}></textarea>
    ${card && html`<${InputStrip} card=${card} />`}
    <div class="bar">
      ${card && html`<${AddInput} card=${card} />`}
      ${card && html`<${Models} card=${card} /><${SizePicker} card=${card} /><${Count} />`}
      <button type="button" class="chip" aria-expanded=${isOpen} aria-controls="settings" onClick=${() => setOpen(!isOpen)}>
        <${Icon} name="settings" /> <span>${words.settings}</span></button>
      <button class="primary" disabled=${!card || !now.prompt.trim() || Boolean(now.input?.isUploading)} title=${words.sendHelp}>${words.send}</button>
    </div>
    <div id="settings" hidden=${!isOpen}>${isOpen && card && html`<${Settings} card=${card} />`}</div>
    <${Examples} />
  </form>`;
}

function Models({ card }) {
  const models = useStore(catalogue, (known) => known.models);
  const [label, about] = texts.fields.model;
  return html`<label class="chip select" title=${`${about} ${card.summary}`}><span class="unseen">${label}</span>
    <select value=${card.id} onChange=${(event) => chooseModel(event.target.value)}>
      ${models.map(({ id, title, lanes }) => html`<option key=${id} value=${id}>${lanes ? title : `${title} (${texts.fields.noWorker})`}</option>`)}
    </select></label>`;
}

function Count() {
  const n = useStore(draft, (now) => now.n);
  const most = useStore(catalogue, (known) => known.maxImages);
  const options = [1, 2, 4, 8].filter((count) => count <= most).map((count) => [count, String(count)]);
  if (options.length < 2) return null;
  return html`<${Choice} name="n" options=${options} value=${n} showLabel=${false} onChange=${(count) => draft.change({ n: count })} />`;
}

// For whoever has never been here.
function Examples() {
  const isNew = useStore(list, (now) => now.isKnown && !now.ids.length);
  const isBlank = useStore(draft, (now) => !now.prompt);
  if (!isNew || !isBlank) return null;
  return html`<div class="examples" role="group" aria-label=${words.examplesLabel}>
    ${words.examples.map((prompt) => html`<button type="button" class="chip" key=${prompt}
      onClick=${() => draft.change({ prompt })}>${prompt}</button>`)}
  </div>`;
}
