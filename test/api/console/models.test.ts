import { afterAll, beforeAll, expect, test } from "vitest";
import { announceLabels, announceModel } from "../../../shared/state/models.ts";
import { announceWorker } from "../../../shared/state/workers.ts";
import { announcedWorker } from "../../support/announced-worker.ts";
import { makeKey } from "../support/make-key.ts";
import { startTestApi } from "../support/test-api.ts";
import type { TestApi } from "../support/test-api.ts";
import { visit } from "./support/visit.ts";
import type { Visitor } from "./support/visit.ts";

const MODELS = "/console/models";

let api: TestApi;
let visitor: Visitor;
beforeAll(async () => {
  api = await startTestApi({ MODEL: "birds" });
  visitor = await visit(api);
});
afterAll(() => api.close());

const announce = async (name: string, agoMs: number, labels: readonly string[]) => {
  await announceLabels(api.redis.redis, name, labels);
  await announceModel(api.redis.redis, {
    name,
    digest: `sha256:${"0".repeat(64)}`,
    num_classes: labels.length,
    device: "cuda",
    input_size: [224, 448],
    served_at: new Date(Date.now() - agoMs).toISOString(),
  });
};

test("models are listed with what they take and whether anybody serves them", async () => {
  expect((await visitor.get(MODELS)).text).toContain("No worker has served a model here yet.");
  await announce("birds", 1_000, ["swan", "<b>raven</b>"]);
  await announce("apes", 600_000, ["gibbon"]);
  const { text } = await visitor.get(MODELS);
  const [apes = "", birds = ""] = text.split("<tr>").slice(2);
  expect(apes).toContain("not served");
  expect(apes).toContain("448 × 224 pixels");
  expect(birds).toMatch(/birds<\/a>\s*<span class="soft">default/);
  expect(birds).toContain('<span class="status good">served</span>');
  expect(birds).toMatch(/>2<\/td>/);
});

test("a model shows its labels by their numbers, its digest, and to an operator its workers", async () => {
  await announceWorker(api.redis.redis, announcedWorker());
  await announceWorker(api.redis.redis, announcedWorker({ host: "another", labelling: null }));
  const { text } = await visitor.get(`${MODELS}/birds`);
  expect(text).toMatch(
    /<ol class="labels card" start="0">\s*<li>swan<\/li><li>&lt;b&gt;raven&lt;\/b&gt;<\/li>/,
  );
  expect(text).toContain(`sha256:${"0".repeat(64)}`);
  expect(text).toContain('<a href="/console/workers">gpu-7:4711</a>');
  const other = await visit(api, (await makeKey(api, { tenant: "another" })).key);
  const theirs = await other.get(`${MODELS}/birds`);
  expect(theirs.status).toBe(200);
  expect(theirs.text).not.toContain("gpu-7");
});

test.each(["whales", "No name"])("there is no page of %j", async (name) => {
  expect((await visitor.get(`${MODELS}/${encodeURIComponent(name)}`)).status).toBe(404);
});
