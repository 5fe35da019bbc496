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
  context.strokeStyle = front ?? "#000";
  context.lineCap = context.lineJoin = "round";
  for (const { size, points } of strokes) {
    context.lineWidth = size;
    context.beginPath();
    context.moveTo(...points[0]);
    // A dot is a line to where it began.
    for (const point of points.length > 1 ? points : [points[0], points[0]]) context.lineTo(...point);
    context.stroke();
  }
}

export const isEmpty = ({ strokes, isInverted }) => !strokes.length && !isInverted;
