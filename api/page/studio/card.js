// One job: its pictures, what was asked for, and how far it is.
import { texts } from "texts";
import { html } from "../kit/dom.js";
import { ago, dateOf } from "../kit/format.js";
import { Icon } from "../kit/icons.js";
import { useStore } from "../kit/store.js";
import { cancel, isUpscale, remove, reuse, submitAgain } from "./actions.js";
import { jobStore, LIVE } from "./jobs.js";
import { Tile } from "./tile.js";
import { TileActions } from "./tile_actions.js";
import { openViewer } from "./viewer.js";

export function Card({ id }) {
  const store = jobStore(id);
  return store ? html`<${Known} store=${store} />` : null;
}

function Known({ store }) {
  const { view, previews } = useStore(store);
  const { prompt, n } = view.request;
  const hasPictures = view.status === "succeeded" || LIVE.has(view.status);
  const open = (index, from) => openViewer(view.id, index, from);
  return html`<article class="job ${view.status}" data-job=${view.id} aria-label=${texts.job.label(prompt)}>
    ${hasPictures
      ? html`<div class="grid" data-n=${Math.min(n, 4)}>
          ${Array.from({ length: n }, (_, index) => html`
            <${Tile} key=${index} view=${view} index=${index} preview=${previews?.[index]} onOpen=${open}>
              ${view.images[index] && html`<${TileActions} view=${view} image=${view.images[index]} />`}
            <//>`)}
        </div>`
      : html`<${Ended} view=${view} />`}
    <div class="about">
      <p class="prompt">${prompt}</p>
      ${LIVE.has(view.status) && html`<${Progress} view=${view} />`}
      <${Facts} view=${view} />
      <${CardActions} view=${view} />
    </div>
  </article>`;
}

function Progress({ view }) {
  const words = texts.job;
  const { step = 0, steps = 0 } = view.progress ?? {};
  const said = view.status === "queued" ? waiting(view) : steps && step >= steps ? words.storing : steps ? words.step(step, steps) : words.running;
  return html`<div class="progress">
    <progress max=${steps || 1} value=${view.status === "queued" ? 0 : step} aria-label=${said} />
    <span>${said}</span>
    ${view.notice && html`<span class="notice">${view.notice}</span>`}
  </div>`;
}

function waiting({ queue_position: position, eta_s: eta }) {
  return [texts.job.position(position ?? 0), eta === null ? null : texts.job.eta(eta)].filter(Boolean).join(" · ");
}

function Ended({ view }) {
  const failed = view.status === "failed";
  const reason = failed ? texts.job.reasons[view.error?.code] ?? view.error?.message : null;
  return html`<div class="ended">
    <${Icon} name=${failed ? "ban" : "close"} />
    <p><strong>${failed ? texts.job.failed : texts.job.canceled}</strong>${reason && html` <span>${reason}</span>`}</p>
  </div>`;
}

function Facts({ view }) {
  const { model, width, height, steps, upscale } = view.request;
  const took = view.timings.run_s;
  const made = isUpscale(view) ? [texts.job.upscaled(upscale)] : [model, texts.job.steps(steps), texts.job.seed(view.seed)];
  const facts = [made[0], `${width} × ${height}`, ...made.slice(1), took && texts.job.took(took)];
  return html`<p class="facts">
    ${facts.filter(Boolean).map((fact) => html`<span key=${fact}>${fact}</span>`)}
    <time datetime=${view.created_at} title=${dateOf(view.created_at)}>${ago(view.created_at)}</time>
  </p>`;
}

function CardActions({ view }) {
  const words = texts.job;
  if (LIVE.has(view.status)) {
    return html`<div class="card-actions"><button class="quiet" onClick=${() => cancel(view.id)}><${Icon} name="close" /> ${words.cancel}</button></div>`;
  }
  const isMade = view.status === "succeeded" && isUpscale(view);
  return html`<div class="card-actions">
    ${isMade ? null : view.status === "failed"
      ? html`<button class="quiet" onClick=${() => submitAgain(view, { sameSeed: true })}><${Icon} name="again" /> ${words.retry}</button>`
      : html`<button class="quiet" title=${words.againHelp} onClick=${() => submitAgain(view)}><${Icon} name="again" /> ${words.again}</button>`}
    ${!isUpscale(view) && html`<button class="quiet" title=${words.reuseHelp} onClick=${() => reuse(view)}><${Icon} name="fill" /> ${words.reuse}</button>`}
    <button class="quiet" onClick=${() => remove(view.id)}><${Icon} name="bin" /> ${words.remove}</button>
  </div>`;
}

// A request that the server has not answered yet.
export function SendingCard({ request }) {
  const { prompt = "", n = 1, width = 1, height = 1 } = request;
  return html`<article class="job sending" aria-label=${texts.job.label(prompt)}>
    <div class="grid" data-n=${Math.min(n, 4)}>
      ${Array.from({ length: n }, (_, index) => html`<div key=${index} class="tile waiting" style=${{ aspectRatio: `${width} / ${height}` }}><span class="grain" /></div>`)}
    </div>
    <div class="about"><p class="prompt">${prompt}</p><div class="progress"><progress /><span>${texts.job.sending}</span></div></div>
  </article>`;
}
