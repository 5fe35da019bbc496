// The large view. PhotoSwipe does keyboard, swipe and zoom; it is loaded when first wanted.
import { texts } from "texts";
import { iconText } from "../kit/icons.js";
import { jobStore } from "./jobs.js";
import { shownIds } from "./history.js";
import { fullUrl, smallUrl } from "./pictures.js";
import { toolsOf } from "./tools.js";

const words = texts.image;
// A picture may be shown so much larger than it is: the bundled model's are small.
const MOST_ENLARGED = 5;

export async function openViewer(id, index, from) {
  const { default: PhotoSwipe } = await import("photoswipe");
  const slides = allSlides();
  const viewer = new PhotoSwipe({
    dataSource: slides,
    index: Math.max(0, slides.findIndex((slide) => slide.view.id === id && slide.index === index)),
    bgOpacity: 1,
    loop: false,
    showHideAnimationType: matchMedia("(prefers-reduced-motion: reduce)").matches ? "none" : "fade",
    initialZoomLevel: fitted,
    secondaryZoomLevel: (zoom) => 2 * fitted(zoom),
    maxZoomLevel: (zoom) => 8 * fitted(zoom),
    paddingFn: ({ x }) => (x > 700 ? { top: 56, bottom: 96, left: 72, right: 72 } : { top: 56, bottom: 132, left: 0, right: 0 }),
    closeTitle: words.close, zoomTitle: words.zoom, arrowPrevTitle: words.previous, arrowNextTitle: words.next,
    errorMsg: words.gone,
    returnFocus: false,
  });
  viewer.on("uiRegister", () => register(viewer, slides));
  viewer.on("contentActivate", ({ content }) => content.element?.setAttribute("alt", content.data.alt));
  viewer.on("destroy", () => from?.isConnected && from.focus());
  viewer.init();
  viewer.element.setAttribute("aria-label", words.large);
}

const fitted = ({ elementSize, panAreaSize }) =>
  Math.min(panAreaSize.x / elementSize.x, panAreaSize.y / elementSize.y, MOST_ENLARGED);

function allSlides() {
  return shownIds().flatMap((id) => {
    const { view } = jobStore(id).get();
    return view.images.map((image, index) => ({
      view, image, index, src: fullUrl(view, image), msrc: smallUrl(view, image),
      width: image.width, height: image.height, alt: view.request.prompt,
    }));
  });
}

function register(viewer, slides) {
  viewer.ui.registerElement({
    name: "darkroom-caption", className: "caption", appendTo: "root",
    // By its number: while the view opens, PhotoSwipe has no slides beside the first yet.
    onInit: (element) => viewer.on("change", () => fill(element, slides[viewer.currIndex], viewer)),
  });
}

function fill(element, { view, image }, viewer) {
  const prompt = Object.assign(document.createElement("p"), { textContent: view.request.prompt });
  const bar = Object.assign(document.createElement("div"), { className: "caption-tools" });
  bar.append(...toolsOf(view, image).map((tool) => button(tool, viewer)));
  element.replaceChildren(prompt, bar);
}

function button({ icon, label, act, closes }, viewer) {
  const made = Object.assign(document.createElement("button"), { type: "button", title: label, innerHTML: iconText(icon) });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", () => {
    // The view is left first, for it gives the focus back when it goes.
    if (!closes) return act();
    viewer.on("destroy", act);
    return close(viewer);
  });
  return made;
}

// PhotoSwipe does not hear it while it opens: whoever is quick would wait for nothing.
function close(viewer) {
  if (viewer.opener.isOpen) viewer.close();
  else viewer.on("openingAnimationEnd", () => viewer.close());
}
