// Server-sent events by `fetch`, for EventSource cannot send a key. Resumes behind the last event that came.
import { pause, problemOf, send, ServerAway, whenUp } from "./server.js";
import { session } from "./session.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;

// Calls `tell(type, data)` for each event, until `isLast` says so, the server has no more, or `signal` aborts.
// Raises Problem where the server refuses.
export async function follow(path, { tell, isLast, signal }) {
  let lastId = null;
  let wait = FIRST_WAIT_MS;
  while (!signal.aborted) {
    try {
      const key = session.get().key;
      const answer = await send(path, { signal, headers: lastId ? { "Last-Event-ID": lastId } : {} });
      if (answer.status === 204) return;
      if (!answer.ok) throw await problemOf(answer, key);
      for await (const event of eventsOf(answer.body)) {
        if (event.id) lastId = event.id;
        wait = FIRST_WAIT_MS;
        tell(event.type, event.data);
        if (isLast(event.type)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      const isPassing = error instanceof ServerAway || error instanceof TypeError || error.status >= 500;
      if (!isPassing) throw error;
    }
    await pause(wait);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    await whenUp();
  }
}

export async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const event = parsed(block);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

// Null for a comment, by which the server keeps the connection open.
function parsed(block) {
  const fields = {};
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    fields[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, "");
  }
  return fields.data ? { type: fields.event ?? "message", id: fields.id ?? null, data: JSON.parse(fields.data) } : null;
}
