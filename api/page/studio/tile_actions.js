// What stands under each picture.
import { texts } from "texts";
import { html } from "../kit/dom.js";
import { Icon } from "../kit/icons.js";
import { toolsOf } from "./tools.js";

export function TileActions({ view, image }) {
  return html`<div class="tile-actions" role="group" aria-label=${texts.image.alt(view.request.prompt)}>
    ${toolsOf(view, image).filter((tool) => tool.isFrequent).map(({ name, icon, letter, label, act }) => html`
      <button key=${name} class="icon-button" title=${label} aria-label=${label} onClick=${act}>${letter ?? html`<${Icon} name=${icon} />`}</button>`)}
  </div>`;
}
