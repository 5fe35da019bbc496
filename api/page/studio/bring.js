// Pictures that a person brings: chosen, dropped or pasted; or an earlier one of the page. They are uploaded at once.
import { texts } from "texts";
import { ask } from "../kit/server.js";
import { complain, toast } from "../kit/toasts.js";
import { draft } from "./draft.js";
import { cardOf, does, onGrid } from "./models.js";

const LARGEST_BYTES = 50 * 2 ** 20;

// `blob`: a file of a person's, or a mask. The server's answer names it.
export const upload = (blob) => ask("uploads", {
  method: "POST", body: blob, headers: { "Content-Type": blob.type || "application/octet-stream" },
});

export async function bring(file) {
  const card = cardOf(draft.get().model);
  if (!takesPictures(card)) return toast(texts.input.unsupported(card?.title ?? ""), { kind: "error" });
  if (!file.type.startsWith("image/") || file.size > LARGEST_BYTES) return toast(texts.input.notPicture, { kind: "error" });
  const url = URL.createObjectURL(file);
  const coming = { url, isUploading: true };
  draft.change({ input: coming, mask: null });
  try {
    const { id, width, height } = await upload(file);
    if (draft.get().input === coming) setInput({ id, url, width, height });
  } catch (error) {
    if (draft.get().input === coming) draft.change({ input: null });
    complain(error);
  }
  return undefined;
}

// The picture that is drawn takes the input's shape, as far as the model goes.
export function setInput(input) {
  const { size } = cardOf(draft.get().model);
  const scale = Math.min(1, size.max / Math.max(input.width, input.height), Math.sqrt(size.max_pixels / (input.width * input.height)));
  draft.change({ input, mask: null, width: onGrid(input.width * scale, size), height: onGrid(input.height * scale, size) });
}

export const takesPictures = (card) => ["image-to-image", "inpainting", "edit"].some((task) => does(card, task));

export function dropInput() {
  draft.change({ input: null, mask: null, strength: null });
}

// Anywhere on the page. `show` says whether something is being held over it.
export function acceptPictures(show) {
  const pictureOf = (transfer) => [...(transfer?.files ?? [])][0];
  const holds = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    show(true);
  });
  addEventListener("dragleave", (event) => !event.relatedTarget && show(false));
  addEventListener("drop", (event) => {
    show(false);
    if (!holds(event)) return;
    event.preventDefault();
    if (pictureOf(event.dataTransfer)) bring(pictureOf(event.dataTransfer));
  });
  addEventListener("paste", (event) => pictureOf(event.clipboardData) && bring(pictureOf(event.clipboardData)));
}
