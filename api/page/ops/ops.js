// Operations: what waits, what runs, what died.
import { texts } from "texts";
import { html, render, useEffect } from "../kit/dom.js";
import { ago, bytes, dateOf, duration, exactTimeOf, figure } from "../kit/format.js";
import { Header, LinkState } from "../kit/header.js";
import { session } from "../kit/session.js";
import { SignIn } from "../kit/sign_in.js";
import { LiveRegion } from "../kit/speak.js";
import { useStore } from "../kit/store.js";
import { Toasts } from "../kit/toasts.js";
import { DeadLetters } from "./dead_letters.js";
import { look, operations, stopLooking } from "./operations.js";
import { Table } from "./table.js";

const words = texts.ops;

function Page() {
  const { asked, key } = useStore(session);
  useEffect(() => {
    if (!asked) look();
    return stopLooking;
  }, [asked, key]);
  if (asked) return html`<${SignIn} /><${LinkState} /><${Toasts} />`;
  return html`<${Header} page="ops" /><main><${Board} /></main><${LinkState} /><${Toasts} /><${LiveRegion} />`;
}

function Board() {
  const { now, isRefused } = useStore(operations);
  if (isRefused) return html`<h1>${words.title}</h1><p class="refused">${words.refused}</p>`;
  if (!now) return html`<h1>${words.title}</h1>`;
  return html`
    <div class="head"><h1>${words.title}</h1>
      <p class="muted">${words.updated(exactTimeOf(now.at))}${now.flower_url && html` · <a href=${now.flower_url} rel="noopener noreferrer" target="_blank">${words.flower}</a>`}</p></div>
    <${Summary} now=${now} />
    <${Lines} now=${now} /><${Workers} now=${now} /><${Running} now=${now} />
    <${DeadLetters} letters=${now.dead_letters} /><${Keys} now=${now} /><${Webhooks} now=${now} />`;
}

function Summary({ now }) {
  const figures = {
    waiting: sum(now.lines, (line) => line.interactive + line.bulk),
    running: now.running.length,
    workers: now.workers.length,
    perMinute: sum(now.workers, (worker) => worker.images_per_minute),
    dead: now.dead_letters.length,
  };
  return html`<dl class="figures">
    ${Object.entries(figures).map(([name, figure]) => html`<div key=${name} class=${name === "dead" && figure ? "bad" : ""}>
      <dt>${words.summary[name]}</dt><dd>${figure}</dd></div>`)}
  </dl>`;
}

function Lines({ now }) {
  return html`<${Table} title=${words.lines} empty=${words.linesEmpty} rows=${now.lines} keyOf=${(line) => line.model} columns=${[
    ["model", (line) => html`<strong>${line.model}</strong>`],
    ["interactive", (line) => line.interactive],
    ["bulk", (line) => line.bulk],
    ["oldest", (line) => (line.oldest_at ? duration((new Date(now.at) - new Date(line.oldest_at)) / 1000) : words.none)],
    ["eta", (line) => (line.interactive + line.bulk ? duration(line.eta_s) : words.none)],
    ["lanes", (line) => line.lanes],
  ]} />`;
}

function Workers({ now }) {
  return html`<${Table} title=${words.workers} empty=${words.workersEmpty} rows=${now.workers} keyOf=${(worker) => worker.name} columns=${[
    ["name", (worker) => html`<strong>${worker.name}</strong>`],
    ["kind", (worker) => worker.kind.toUpperCase()],
    ["device", (worker) => worker.device],
    ["lanes", (worker) => worker.lanes],
    ["memory", (worker) => bytes(worker.memory_bytes)],
    ["models", (worker) => worker.models.join(", ") || words.none],
    ["perMinute", (worker) => (worker.models.length ? worker.images_per_minute : words.none)],
  ]} />`;
}

function Running({ now }) {
  return html`<${Table} title=${words.running} empty=${words.runningEmpty} rows=${now.running} keyOf=${(job) => job.id} columns=${[
    ["job", (job) => html`<code title=${job.id}>…${job.id.slice(-8)}</code>`],
    ["owner", (job) => job.key],
    ["model", (job) => job.model],
    ["progress", (job) => html`<span class="done"><progress max=${job.steps || 1} value=${job.step} aria-label=${words.columns.progress} /> ${job.step} / ${job.steps || "?"}</span>`],
    ["worker", (job) => job.worker ?? words.none],
    ["since", (job) => (job.started_at ? duration((new Date(now.at) - new Date(job.started_at)) / 1000) : words.none)],
    ["attempt", (job) => job.attempt],
  ]} />`;
}

function Keys({ now }) {
  return html`<${Table} title=${words.keys} empty=${words.keysEmpty} rows=${now.keys} keyOf=${(key) => key.name} columns=${[
    ["name", (key) => html`<strong>${key.name}</strong>`],
    ["used", (key) => (key.last_used_at ? html`<time datetime=${key.last_used_at} title=${dateOf(key.last_used_at)}>${ago(key.last_used_at)}</time>` : texts.time.never)],
    ["jobsToday", (key) => key.jobs_today],
    ["workToday", (key) => words.work(figure(key.megapixel_steps_today), key.daily_megapixel_steps && figure(key.daily_megapixel_steps))],
    ["admin", (key) => (key.is_operator ? words.yes : words.none)],
  ]} />`;
}

function Webhooks({ now }) {
  return html`<${Table} title=${words.webhooks(now.webhooks_owed)} empty=${words.webhooksEmpty} rows=${now.webhooks} keyOf=${(each) => each.job + each.event} columns=${[
    ["job", (each) => html`<code title=${each.job}>…${each.job.slice(-8)}</code>`],
    ["event", (each) => each.event],
    ["host", (each) => each.host ?? words.none],
    ["tries", (each) => each.tries],
    ["lastTry", (each) => each.last ?? words.none],
    ["due", (each) => html`<time datetime=${each.due_at} title=${dateOf(each.due_at)}>${words.dueIn(duration(Math.max(0, (new Date(each.due_at) - new Date(now.at)) / 1000)))}</time>`],
  ]} />`;
}

const sum = (rows, figure) => rows.reduce((total, row) => total + figure(row), 0);

render(html`<${Page} />`, document.getElementById("page"));
