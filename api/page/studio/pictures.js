// Where a job's pictures are, and what one can do with their addresses.
import { texts } from "texts";
import { timeOf } from "../kit/format.js";
import { urlOf } from "../kit/server.js";
import { toast } from "../kit/toasts.js";
import { bodyAgain } from "./draft.js";

// Links name the server's public address; a page that was opened by another one stays there.
export function ownUrl(view, url) {
  const base = view.links.self.slice(0, -`/jobs/${view.id}`.length);
  return url.startsWith(`${base}/files/`) ? urlOf(url.slice(base.length + 1)).href : url;
}

export const smallUrl = (view, image) => ownUrl(view, (image.thumbnail ?? image).url);
export const fullUrl = (view, image) => ownUrl(view, image.url);
export const fileName = (view, image) => `darkroom-${image.id}.${view.request.output_format}`;

export function download(view, image) {
  const anchor = Object.assign(document.createElement("a"), {
    href: fullUrl(view, image), download: fileName(view, image), rel: "noopener",
  });
  // Another origin's link is opened, for a browser saves only its own page's.
  if (new URL(anchor.href).origin !== location.origin) anchor.target = "_blank";
  anchor.click();
}

export async function copyLink(view, image) {
  if (await copied(image.url)) toast(texts.image.linkCopied(timeOf(image.expires_at)));
}

export async function copyParameters(view, image) {
  const { n, priority, preview_every, ...kept } = bodyAgain(view, { withSeed: false });
  if (await copied(JSON.stringify({ ...kept, seed: image.seed }, null, 2))) toast(texts.image.parametersCopied);
}

// The clipboard is only there on HTTPS and loopback.
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    toast(`${texts.image.notCopied} ${text}`, { forMs: 30_000 });
    return false;
  }
}

// An earlier picture needs no upload: its id names it.
export function inputOf(view, image) {
  return { id: image.id, url: fullUrl(view, image), width: image.width, height: image.height };
}
