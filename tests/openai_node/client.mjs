// The official `openai` client for Node, unchanged, against a running API: node client.mjs BASE_URL
// Prints what each call gave, as JSON, for tests/api/openai/test_node_client.py to look at.
import OpenAI from "openai";

const ai = new OpenAI({ baseURL: process.argv[2], apiKey: "any", maxRetries: 2, timeout: 60_000 });

async function failure(call) {
  try {
    await call();
    return null;
  } catch (error) {
    return { name: error.constructor.name, status: error.status, code: error.code, param: error.param };
  }
}

async function events(stream) {
  const seen = [];
  for await (const event of stream) seen.push({ type: event.type, bytes: event.b64_json.length, size: event.size });
  return seen;
}

const { data: made, response, request_id } = await ai.images
  .generate({ prompt: "a red circle", size: "64x96", n: 2, output_format: "webp", seed: 7 })
  .withResponse();
const models = [];
for await (const model of ai.models.list()) models.push(model.id);

console.log(
  JSON.stringify({
    made: { size: made.size, seeds: made.data.map((image) => image.seed), job_id: made.job_id },
    job_header: response.headers.get("x-job-id"),
    request_id,
    streamed: await events(await ai.images.generate({ prompt: "a red circle", stream: true })),
    models,
    model: (await ai.models.retrieve("minilab")).id,
    unknown_model: await failure(() => ai.images.generate({ prompt: "a red circle", model: "dall-e-3" })),
    bad_size: await failure(() => ai.images.generate({ prompt: "a red circle", size: "100x100" })),
    conflict: await failure(async () => {
      const options = { headers: { "Idempotency-Key": "node" } };
      await ai.images.generate({ prompt: "a red circle" }, options);
      await ai.images.generate({ prompt: "a blue circle" }, options);
    }),
    timed_out: await failure(() =>
      ai.images.generate({ prompt: "a red circle", model: "sdxl" }, { timeout: 500, maxRetries: 0 }),
    ),
  }),
);
