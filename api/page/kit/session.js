// The API key: kept for the tab or, by choice, for the device. Never in a URL, never in a cookie.
import { createStore } from "./store.js";

const NAME = "darkroom.key";

// `asked`: the server wants a key. `reason`: why the one we had will not do.
export const session = createStore({ key: read(), asked: false, reason: null });

function read() {
  return sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME);
}

export function signIn(key, remember) {
  forget();
  (remember ? localStorage : sessionStorage).setItem(NAME, key);
  session.set({ key, asked: false, reason: null });
}

export function signOut() {
  forget();
  session.set({ key: null, asked: true, reason: null });
}

export function keyRefused(key) {
  // An answer to a request that was sent with the key before the present one says nothing of that.
  if (key !== session.get().key) return;
  forget();
  session.set({ key: null, asked: true, reason: key ? "ended" : null });
}

function forget() {
  sessionStorage.removeItem(NAME);
  localStorage.removeItem(NAME);
}

// Another tab signed in or out of the device's key.
addEventListener("storage", (event) => {
  if (event.key !== NAME || sessionStorage.getItem(NAME)) return;
  session.set({ key: event.newValue, asked: event.newValue === null, reason: null });
});
