// What was painted: strokes that can be taken back, and turned inside out. Knows canvases, and nothing of the page.

export const NOTHING = { strokes: [], isInverted: false };

// Of its size, in white where the picture is drawn anew, and black elsewhere.
export function drawMask(canvas, painted) {
  draw(canvas, painted, { ground: "#000", paint: "#fff" });
}

// The same for the eye: a colour where something changes, and nothing elsewhere.
export function drawOverlay(canvas, painted, colour) {
  draw(canvas, painted, { ground: null, paint: colour });
}

function draw(canvas, { strokes, isInverted }, { ground, paint }) {
  const context = canvas.getContext("2d");
  const [back, front] = isInverted ? [paint, ground] : [ground, paint];
  context.globalCompositeOperation = "source-over";
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (back) {
    context.fillStyle = back;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  if (!front) context.globalCompositeOperation = "destination-out";
  context.strokeStyle = context.fillStyle = front ?? "#000";
  context.lineCap = context.lineJoin = "round";
  for (const { size, points } of strokes) {
    const [first, ...rest] = points;
    context.lineWidth = size;
    context.beginPath();
    context.moveTo(...first);
    for (const point of rest) context.lineTo(...point);
    context.stroke();
    // A line of no length is not drawn: a single touch is a dot.
    context.beginPath();
    context.arc(...first, size / 2, 0, 2 * Math.PI);
    context.fill();
  }
}

export const isEmpty = ({ strokes, isInverted }) => !strokes.length && !isInverted;
