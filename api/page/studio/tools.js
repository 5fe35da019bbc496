// What can be done with a finished picture; in the list the frequent ones are shown, in the large view all.
import { texts } from "texts";
import { reuse } from "./actions.js";
import { copyLink, copyParameters, download } from "./pictures.js";

export function toolsOf(view, image) {
  const words = texts.image;
  return [
    { name: "download", icon: "down", label: words.download, isFrequent: true, act: () => download(view, image) },
    { name: "seed", icon: "seed", label: words.sameSeed, isFrequent: true, closes: true, act: () => reuse(view, image.seed) },
    { name: "link", icon: "link", label: words.copyLink, act: () => copyLink(view, image) },
    { name: "parameters", icon: "code", label: words.copyParameters, act: () => copyParameters(view, image) },
  ];
}
