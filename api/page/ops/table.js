// A table that becomes cards where the screen is narrow.
import { texts } from "texts";
import { html } from "../kit/dom.js";

// `columns`: name and what each row shows there.
export function Table({ title, empty, columns, rows, keyOf }) {
  return html`<section class="panel">
    <h2>${title}${rows.length > 0 && html`<span class="count">${rows.length}</span>`}</h2>
    ${rows.length === 0 ? html`<p class="muted">${empty}</p>` : html`<div class="scroll" tabindex="0" role="group" aria-label=${title}>
      <table>
        <thead><tr>${columns.map(([name]) => html`<th key=${name} scope="col">${texts.ops.columns[name]}</th>`)}</tr></thead>
        <tbody>${rows.map((row) => html`<tr key=${keyOf(row)}>
          ${columns.map(([name, show]) => html`<td key=${name} data-label=${texts.ops.columns[name]}>${show(row)}</td>`)}
        </tr>`)}</tbody>
      </table></div>`}
  </section>`;
}
