// A brush on the picture itself, for what shall be drawn anew. Loaded when first wanted.
import { texts } from "texts";
import { html, render, useEffect, useLayoutEffect, useRef, useState } from "../../kit/dom.js";
import { Icon } from "../../kit/icons.js";
import { complain, toast } from "../../kit/toasts.js";
import { clamp } from "../../kit/format.js";
import { upload } from "../bring.js";
import { draft } from "../draft.js";
import { drawMask, drawOverlay, isEmpty, NOTHING } from "./strokes.js";

const words = texts.mask;
// Seen on most pictures, as few have much of it.
const COLOUR = "#12e3c2";
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function openMaskEditor() {
  const { input, mask } = draft.get();
  if (!input) return;
  const place = document.body.appendChild(document.createElement("div"));
  const close = () => {
    render(null, place);
    place.remove();
  };
  render(html`<${Editor} input=${input} before=${mask?.painted ?? NOTHING} close=${close} />`, place);
}

function Editor({ input, before, close }) {
  const [painted, setPainted] = useState(before);
  const [size, setSize] = useState(Math.round(Math.max(input.width, input.height) / 6));
  const dialog = useRef();
  useEffect(() => dialog.current.showModal(), []);
  const undo = () => setPainted({ ...painted, strokes: painted.strokes.slice(0, -1) });
  const finish = async () => {
    if (isEmpty(painted)) return toast(words.empty);
    close();
    return keep(input, painted);
  };
  return html`<dialog class="mask-editor" ref=${dialog} aria-labelledby="mask-title" onClose=${close}>
    <header><div><h2 id="mask-title">${words.title}</h2><p class="muted">${words.lead}</p></div></header>
    <${Canvas} input=${input} painted=${painted} size=${size} onPaint=${setPainted} />
    <div class="mask-tools">
      <label class="brush">${words.size}
        <input type="range" min="4" max=${Math.round(Math.max(input.width, input.height) / 2)} value=${size} onInput=${(event) => setSize(event.target.valueAsNumber)} /></label>
      <button type="button" class="quiet" disabled=${!painted.strokes.length} onClick=${undo}><${Icon} name="undo" /> ${words.undo}</button>
      <button type="button" class="quiet" onClick=${() => setPainted({ ...painted, isInverted: !painted.isInverted })}><${Icon} name="swap" /> ${words.invert}</button>
      <button type="button" class="quiet" onClick=${() => setPainted(NOTHING)}><${Icon} name="bin" /> ${words.clear}</button>
      <span class="mask-end">
        <button type="button" class="chip" onClick=${close}>${words.cancel}</button>
        <button type="button" class="primary" onClick=${finish}>${words.done}</button></span>
    </div>
  </dialog>`;
}

function Canvas({ input, painted, size, onPaint }) {
  const canvas = useRef();
  const [brush, setBrush] = useState([input.width / 2, input.height / 2]);
  const isDown = useRef(false);
  useLayoutEffect(() => drawOverlay(canvas.current, painted, COLOUR), [painted]);

  const begin = (point) => onPaint({ ...painted, strokes: [...painted.strokes, { size, points: [point] }] });
  const goOn = (point) => {
    const { strokes } = painted;
    const last = strokes.at(-1);
    onPaint({ ...painted, strokes: [...strokes.slice(0, -1), { ...last, points: [...last.points, point] }] });
  };
  const pointOf = (event) => {
    const box = canvas.current.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * input.width, ((event.clientY - box.top) / box.height) * input.height];
  };
  const down = (event) => {
    event.preventDefault();
    canvas.current.focus();
    canvas.current.setPointerCapture(event.pointerId);
    isDown.current = true;
    begin(pointOf(event));
  };
  const move = (event) => {
    setBrush(pointOf(event));
    if (isDown.current) goOn(pointOf(event));
  };
  const keyDown = (event) => {
    const step = STEPS[event.key];
    if (!step && event.key !== " ") return;
    event.preventDefault();
    if (!step) return begin(brush);
    const stride = Math.max(2, size / 3);
    return setBrush([clamp(brush[0] + step[0] * stride, 0, input.width), clamp(brush[1] + step[1] * stride, 0, input.height)]);
  };
  const ring = {
    left: `${(brush[0] / input.width) * 100}%`, top: `${(brush[1] / input.height) * 100}%`, width: `${(size / input.width) * 100}%`,
  };
  return html`<div class="mask-canvas" style=${{ aspectRatio: `${input.width} / ${input.height}`, "--shape": input.width / input.height }}>
    <img src=${input.url} alt="" draggable=${false} />
    <canvas ref=${canvas} width=${input.width} height=${input.height} tabindex="0" role="img" aria-label=${words.canvas}
      onPointerDown=${down} onPointerMove=${move} onPointerUp=${() => (isDown.current = false)} onPointerCancel=${() => (isDown.current = false)}
      onKeyDown=${keyDown} />
    <span class="brush-ring" style=${ring} aria-hidden="true" />
  </div>`;
}

// The mask is uploaded at once, like any picture.
async function keep(input, painted) {
  const canvas = Object.assign(document.createElement("canvas"), { width: input.width, height: input.height });
  drawMask(canvas, painted);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  try {
    const { id } = await upload(blob);
    if (draft.get().input === input) draft.change({ mask: { id, url: URL.createObjectURL(blob), painted }, strength: null });
  } catch (error) {
    complain(error);
  }
}
