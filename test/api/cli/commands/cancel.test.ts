import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient } from "../../../../api/client/client.ts";
import { newId } from "../../../../shared/new-id.ts";
import { serveApi } from "../../client/serve-api.ts";
import type { ServedApi } from "../../client/serve-api.ts";
import { runTresline } from "../run-tresline.ts";

let api: ServedApi;
beforeAll(async () => {
  api = await serveApi({ S3_SOURCE_BUCKETS: "photos" });
});
afterAll(() => api.close());

const cancel = (...args: string[]) =>
  runTresline(["cancel", ...args], { TRESLINE_API_KEY: api.apiKey, TRESLINE_URL: api.url });
const image = { url: "https://example.com/cat.jpg" };

test("an image, a batch and a run are canceled by their ids alone", async () => {
  const client = createClient(api);
  const { id } = await client.classifications.create(image);
  const canceled = await cancel(id);
  expect(canceled.code).toBe(0);
  expect(canceled.out).toMatch(/^Status +canceled$/m);
  const batch = await client.batches.create({ items: [{ custom_id: "a", image }] });
  expect((await cancel(batch.id)).out).toMatch(/^Status +canceling$/m);
  const labeler = await client.labelers.create({ bucket: "photos" });
  const run = await client.labelers.runs.create(labeler.id);
  expect((await cancel(run.id)).out).toMatch(
    new RegExp(`^Labeler +${labeler.id}$.*^Status +canceling$`, "ms"),
  );
});

test.each(["cls", "bat", "run"] as const)("what is not there is one line: %s", async (kind) => {
  const { code, out, err } = await cancel(newId(kind));
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toMatch(/^tresline: There is no \w+ \w+\.\n$/);
});
