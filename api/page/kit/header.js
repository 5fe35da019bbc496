// What stands above each page: where one is, whether the server answers, and the way out.
import { texts } from "texts";
import { html, useEffect, useState } from "./dom.js";
import { Icon } from "./icons.js";
import { ask, link } from "./server.js";
import { session, signOut } from "./session.js";
import { useStore } from "./store.js";

export function Header({ page }) {
  const key = useStore(session, (now) => now.key);
  return html`<header class="top">
    <a class="brand" href="./"><${Icon} name="aperture" /> ${texts.brand}</a>
    <nav aria-label=${texts.nav.label}>
      <a href="./" aria-current=${page === "studio" ? "page" : undefined}>${texts.nav.studio}</a>
      <${OperationsLink} page=${page} key=${key} />
      <a href="docs">${texts.nav.docs}</a>
      ${key && html`<button class="icon-button" title=${texts.nav.signOut} aria-label=${texts.nav.signOut}
        onClick=${signOut}><${Icon} name="door" /></button>`}
    </nav>
  </header>`;
}

// Shown to whom it would let in.
function OperationsLink({ page }) {
  const [isOperator, setOperator] = useState(page === "ops");
  useEffect(() => {
    ask("admin/me").then((me) => setOperator(me.is_operator), () => {});
  }, []);
  if (!isOperator) return null;
  return html`<a href="ops" aria-current=${page === "ops" ? "page" : undefined}>${texts.nav.operations}</a>`;
}

export function LinkState() {
  const { isUp, since } = useStore(link);
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    if (isUp) return undefined;
    const count = () => setSeconds(Math.round((Date.now() - since) / 1000));
    count();
    const timer = setInterval(count, 1000);
    return () => clearInterval(timer);
  }, [isUp, since]);
  return html`<div role="status">
    ${!isUp && html`<div class="away"><span class="pulse"></span>
      <span>${texts.link.away}</span>${seconds > 4 && html`<span class="muted" aria-hidden="true">${seconds} s</span>`}</div>`}
  </div>`;
}
