// Icons, drawn for this page on a grid of 24.
import { html } from "./dom.js";

const PATHS = {
  aperture: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M16.3 12.8L9.7 20.7M13.5 16.1L3.3 14.3M9.2 15.4L5.6 5.6M7.7 11.2L14.3 3.3M10.5 7.9L20.7 9.7M14.8 8.6L18.4 18.4",
  again: "M20 11a8 8 0 1 0-2 6M20 4v7h-7",
  ban: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M6 6l12 12",
  bin: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  brush: "M20 4c-5 2-9 6-11 10l1.5 1.5C14.5 13.5 18.5 9 20 4M8 15c-3 0-3 4-5 5c3 1 7 0 7-3",
  close: "M6 6l12 12M18 6L6 18",
  code: "M8 7l-5 5l5 5M16 7l5 5l-5 5",
  compare: "M12 3v18M12 6H4v12h8M16 6h4v12h-4",
  down: "M12 4v12M7 11l5 5l5-5M5 20h14",
  dice: "M5 5h14v14H5zM8.5 8.5h.01M15.5 8.5h.01M12 12h.01M8.5 15.5h.01M15.5 15.5h.01",
  door: "M14 4h5v16h-5M10 8l-4 4l4 4M6 12h9",
  fill: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  image: "M4 5h16v14H4zM4 16l5-5l4 4l3-3l4 4M15 9h.01",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  search: "M11 4a7 7 0 1 0 0 14a7 7 0 0 0 0-14M16 16l4 4",
  seed: "M12 21v-9M12 12c0-5 3-7 8-7c0 5-3 7-8 7M12 15c0-4-3-6-7-6c0 4 3 6 7 6",
  settings: "M4 7h9M19 7h1M16 4.5v5M4 17h1M11 17h9M8 14.5v5",
  swap: "M4 8h13M13 4l4 4l-4 4M20 16H7M11 12l-4 4l4 4",
  undo: "M4 10h10a5 5 0 0 1 0 10h-3M8 6l-4 4l4 4",
  upscale: "M14 4h6v6M20 4l-8 8M10 20H4v-6M4 20l6-6",
  variations: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
};

export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
}

// For PhotoSwipe, which takes text.
export const iconText = (name) => `<svg class="pswp__icn icon" viewBox="0 0 24 24" aria-hidden="true"><path d="${PATHS[name]}"/></svg>`;
