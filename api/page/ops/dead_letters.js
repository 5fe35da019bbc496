// Jobs that failed with every attempt: see why, retry, drop.
import { texts } from "texts";
import { html, useState } from "../kit/dom.js";
import { ago, dateOf } from "../kit/format.js";
import { Icon } from "../kit/icons.js";
import { ask } from "../kit/server.js";
import { complain, toast } from "../kit/toasts.js";
import { look } from "./operations.js";

const words = texts.ops;

export function DeadLetters({ letters }) {
  return html`<section class="panel">
    <h2>${words.dead}${letters.length > 0 && html`<span class="count">${letters.length}</span>`}</h2>
    ${letters.length === 0 ? html`<p class="muted">${words.deadEmpty}</p>` : letters.map((letter) => html`<${Letter} key=${letter.id} letter=${letter} />`)}
  </section>`;
}

function Letter({ letter }) {
  const { id, key, model, ended_at: ended, code, message, history } = letter;
  return html`<article class="letter" aria-label=${`${words.columns.job} ${id}`}>
    <div>
      <p><code class="code">${code}</code> <span class="muted">${model} · ${key} · <time datetime=${ended} title=${dateOf(ended)}>${ago(ended)}</time></span></p>
      <p>${message}</p>
      <details><summary>${words.attempts}</summary>
        <ol>${history.map(({ attempt, reason, worker, at }) => html`<li key=${attempt} value=${attempt}>${reason} · ${worker} · ${dateOf(at)}</li>`)}</ol>
        <code class="muted">${id}</code></details>
    </div>
    <${Acts} id=${id} />
  </article>`;
}

function Acts({ id }) {
  const [isSure, setSure] = useState(false);
  const act = async (request, said) => {
    try {
      toast(said(await request()));
    } catch (error) {
      complain(error);
    }
    look();
  };
  const retry = () => act(() => ask(`admin/dead/${id}/retry`, { method: "POST" }), (made) => words.retried(made.id));
  const drop = () => (isSure ? act(() => ask(`admin/dead/${id}`, { method: "DELETE" }), () => words.dropped) : setSure(true));
  return html`<div class="acts">
    <button class="chip" onClick=${retry}><${Icon} name="again" /> ${words.retry}</button>
    <button class="chip" onClick=${drop} onBlur=${() => setSure(false)}><${Icon} name="bin" /> ${isSure ? words.dropSure : words.drop}</button>
  </div>`;
}
