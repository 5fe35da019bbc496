// All jobs of this key, the newest first, as far as one scrolls.
import { texts } from "texts";
import { html, useEffect, useReducer, useRef, useState } from "../kit/dom.js";
import { Icon } from "../kit/icons.js";
import { createStore, useStore } from "../kit/store.js";
import { complain } from "../kit/toasts.js";
import { Card, SendingCard } from "./card.js";
import { jobStore, list, LIVE, loadMore, sending } from "./jobs.js";
import { cardOf } from "./models.js";

export const filter = createStore({ text: "", state: "all", model: "" });

export function matches({ view, isHidden }, { text, state, model }) {
  if (isHidden) return false;
  if (model && view.model !== model) return false;
  if (state === "live" && !LIVE.has(view.status)) return false;
  if (!["all", "live", view.status].includes(state)) return false;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const prompt = view.request.prompt.toLowerCase();
  return words.every((word) => prompt.includes(word));
}

export function shownIds(now = filter.get()) {
  return list.get().ids.filter((id) => matches(jobStore(id).get(), now));
}

export function History() {
  const { ids, isKnown, isEnd } = useStore(list);
  const wanted = useStore(filter);
  const pending = useStore(sending);
  const shown = ids.filter((id) => matches(jobStore(id).get(), wanted));
  useRedrawWhenFilteredOut(ids, wanted, shown);
  const isEmpty = isKnown && !ids.length && !pending.length;
  return html`<section class="history" id="pictures" aria-label=${texts.history.label} tabindex="-1">
    ${isEmpty ? html`<${Empty} />` : html`<${Filters} />`}
    <div class="jobs" role="feed" aria-busy=${!isKnown}>
      ${pending.map(({ id, request }) => html`<${SendingCard} key=${id} request=${request} />`)}
      ${shown.map((id) => html`<${Card} key=${id} id=${id} />`)}
    </div>
    ${isKnown && ids.length > 0 && !shown.length && isEnd && html`<p class="muted centre">${texts.history.none}</p>`}
    <${End} />
  </section>`;
}

// Which jobs are shown depends on each job's state; cards draw themselves, the list only when it changes.
function useRedrawWhenFilteredOut(ids, wanted, shown) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const current = useRef();
  current.current = { wanted, shown: new Set(shown) };
  useEffect(() => {
    const stops = ids.map((id) => jobStore(id)?.subscribe((job) => {
      if (matches(job, current.current.wanted) !== current.current.shown.has(id)) redraw();
    }));
    return () => stops.forEach((stop) => stop?.());
  }, [ids]);
}

// Loads on when its foot comes into sight.
function End() {
  const { isLoading, isEnd, isKnown, ids } = useStore(list);
  const foot = useRef();
  useEffect(() => {
    const seen = new IntersectionObserver(([entry]) => entry.isIntersecting && loadMore().catch(complain), { rootMargin: "1200px" });
    seen.observe(foot.current);
    return () => seen.disconnect();
  }, [ids.length, isLoading]);
  return html`<p class="end muted centre" ref=${foot}>${isLoading ? texts.history.loading : isEnd && isKnown && ids.length > 8 ? texts.history.end : ""}</p>`;
}

function Filters() {
  const words = texts.history;
  const { text, state, model } = useStore(filter);
  const { ids } = useStore(list);
  const models = [...new Set(ids.map((id) => jobStore(id).get().view.model))].sort();
  const [shownText, setText] = useState(text);
  const search = (event) => {
    setText(event.target.value);
    filter.change({ text: event.target.value });
  };
  return html`<div class="filters" role="search">
    <label class="search"><${Icon} name="search" /><span class="unseen">${words.search}</span>
      <input type="search" placeholder=${words.search} value=${shownText} onInput=${search} /></label>
    <div class="segments" role="radiogroup" aria-label=${words.state}>
      ${Object.entries(words.states).map(([key, label]) => html`<label key=${key}>
        <input type="radio" name="state" checked=${state === key} onChange=${() => filter.change({ state: key })} /><span>${label}</span></label>`)}
    </div>
    ${models.length > 1 && html`<label><span class="unseen">${words.model}</span>
      <select value=${model} onChange=${(event) => filter.change({ model: event.target.value })}>
        <option value="">${words.anyModel}</option>
        ${models.map((id) => html`<option key=${id} value=${id}>${cardOf(id)?.title ?? id}</option>`)}
      </select></label>`}
  </div>`;
}

function Empty() {
  return html`<div class="empty"><${Icon} name="aperture" /><h2>${texts.history.empty}</h2><p>${texts.history.emptyLead}</p></div>`;
}
