// The studio: ask for pictures, watch them take shape, look at all of them.
import { texts } from "texts";
import { html, render, useEffect, useState } from "../kit/dom.js";
import { Header, LinkState } from "../kit/header.js";
import { whenUp } from "../kit/server.js";
import { session } from "../kit/session.js";
import { SignIn } from "../kit/sign_in.js";
import { LiveRegion } from "../kit/speak.js";
import { useStore } from "../kit/store.js";
import { complain, Toasts } from "../kit/toasts.js";
import { acceptPictures } from "./bring.js";
import { Composer } from "./composer.js";
import { History } from "./history.js";
import { forgetAll } from "./jobs.js";
import { loadModels } from "./models.js";
import { onTold } from "./tabs.js";
import { catchUp, startWatching } from "./watcher.js";

function Studio() {
  const { asked, key } = useStore(session);
  useEffect(() => {
    forgetAll();
    if (!asked) begin();
  }, [asked, key]);
  if (asked) return html`<${SignIn} /><${LinkState} /><${Toasts} />`;
  return html`
    <a class="skip" href="#pictures">${texts.nav.skip}</a>
    <${Header} page="studio" />
    <main><h1 class="unseen">${texts.nav.studio}</h1><${Composer} /><${History} /></main>
    <${LinkState} /><${Toasts} /><${LiveRegion} /><${DropHere} />`;
}

function DropHere() {
  const [isShown, show] = useState(false);
  useEffect(() => acceptPictures(show), []);
  return isShown && html`<div class="drop-here">${texts.input.drop}</div>`;
}

async function begin() {
  try {
    await Promise.all([loadModels(), catchUp()]);
  } catch (error) {
    if (error.status === 401) return undefined;
    if (error.status !== undefined) return complain(error);
    await whenUp();
    return begin();
  }
  return undefined;
}

startWatching();
onTold(catchUp);
render(html`<${Studio} />`, document.getElementById("page"));
