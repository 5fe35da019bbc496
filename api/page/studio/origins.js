// From which picture a job started, as far as this browser knows: jobs name their inputs by ids that nobody can look at.
import { reread, jobStore } from "./jobs.js";
import { fullUrl } from "./pictures.js";

const NAME = "darkroom.origins";
const MOST = 500;

// What was uploaded is known by its address in this page, until that is closed.
const uploaded = new Map();

export function rememberOrigin(jobId, input) {
  if (input.url.startsWith("blob:")) return uploaded.set(jobId, input.url);
  const kept = [...read().filter(([job]) => job !== jobId), [jobId, input.id]];
  return localStorage.setItem(NAME, JSON.stringify(kept.slice(-MOST)));
}

export const hasOrigin = (jobId) => uploaded.has(jobId) || read().some(([job]) => job === jobId);

// Its address; null where the picture is gone.
export async function originUrl(jobId) {
  if (uploaded.has(jobId)) return uploaded.get(jobId);
  const imageId = read().find(([job]) => job === jobId)?.[1];
  if (!imageId) return null;
  const [madeBy, index] = imageId.split("-");
  // Anew, for its link may have expired.
  await reread(madeBy);
  const view = jobStore(madeBy)?.get().view;
  return view?.images[index] ? fullUrl(view, view.images[index]) : null;
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(NAME)) ?? [];
  } catch {
    return [];
  }
}
