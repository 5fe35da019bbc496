// From which picture a job started: the server gives links to its inputs.
import { jobStore, reread } from "./jobs.js";
import { ownUrl } from "./pictures.js";

export const hasOrigin = (view) => view.inputs.some(({ field }) => field === "image");

// Its address; null where the picture is gone.
export async function originUrl({ id }) {
  // Anew, for its link may have expired.
  await reread(id);
  const view = jobStore(id)?.get().view;
  const input = view?.inputs.find(({ field }) => field === "image");
  return input && (await loads(ownUrl(view, input.url)));
}

async function loads(url) {
  const image = Object.assign(new Image(), { src: url });
  return image.decode().then(() => url, () => null);
}
