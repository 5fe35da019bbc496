// Asks for the API key where the server wants one.
import { texts } from "texts";
import { html, useEffect, useRef, useState } from "./dom.js";
import { Icon } from "./icons.js";
import { send } from "./server.js";
import { session, signIn } from "./session.js";
import { useStore } from "./store.js";

const words = texts.signIn;

export function SignIn() {
  const reason = useStore(session, (now) => now.reason);
  const [fault, setFault] = useState(reason && words[reason]);
  const [isBusy, setBusy] = useState(false);
  const input = useRef();
  useEffect(() => input.current.focus(), []);

  const submit = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const key = form.get("key").trim();
    if (!key) return;
    setBusy(true);
    const found = await faultOf(key);
    if (found === null) return signIn(key, form.has("remember"));
    setBusy(false);
    setFault(found);
    input.current.focus();
  };

  return html`<main class="sign-in">
    <form class="card" onSubmit=${submit}>
      <span class="sign-in-mark"><${Icon} name="aperture" /></span>
      <h1>${words.title}</h1>
      <p class="muted">${words.lead}</p>
      <label class="field"><span>${words.key}</span>
        <input name="key" type="password" autocomplete="current-password" required ref=${input}
          aria-invalid=${Boolean(fault)} aria-describedby="sign-in-fault" />
      </label>
      <p id="sign-in-fault" class="fault" role="alert">${fault}</p>
      <label class="check"><input type="checkbox" name="remember" /> <span>${words.remember}
        <small class="muted">${words.rememberHelp}</small></span></label>
      <button class="primary" disabled=${isBusy}>${isBusy ? words.checking : words.submit}</button>
    </form>
  </main>`;
}

// Null for a key that the server takes.
async function faultOf(key) {
  // What an HTTP header cannot carry is no key.
  if (!/^[!-~]+$/.test(key)) return words.wrong;
  try {
    const answer = await send("models", { key });
    if (answer.status === 401) return words.wrong;
    if (!answer.ok) return texts.problem.unexpected;
  } catch {
    return texts.problem.away;
  }
  return null;
}
