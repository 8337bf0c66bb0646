import { afterAll, beforeAll, expect, test } from "vitest";
import { announceWorker, forgetWorker } from "../../../shared/state/workers.ts";
import { announcedWorker } from "../../support/announced-worker.ts";
import { makeKey } from "../support/make-key.ts";
import { startTestApi } from "../support/test-api.ts";
import type { TestApi } from "../support/test-api.ts";
import { firstEvent } from "./support/first-event.ts";
import { visit } from "./support/visit.ts";
import type { Visitor } from "./support/visit.ts";

const WORKERS = "/console/workers";

let api: TestApi;
let visitor: Visitor;
beforeAll(async () => {
  api = await startTestApi();
  visitor = await visit(api);
});
afterAll(() => api.close());

test("workers are shown with what they label with and how fast, and it goes on live", async () => {
  expect((await visitor.get(WORKERS)).text).toContain("No worker is alive.");
  const gpu = announcedWorker({ host: "<gpu>" });
  await announceWorker(api.redis.redis, gpu);
  await announceWorker(
    api.redis.redis,
    announcedWorker({ host: "scanner", roles: ["deliver", "scan"], draining: true, labelling: null }),
  );
  const { text } = await visitor.get(WORKERS);
  const [first = "", second = ""] = text.split("<tr>").slice(2);
  for (const shown of [
    "&lt;gpu&gt;",
    "birds",
    "on cuda",
    "1000.3",
    "31.5",
    ">96<",
    "3,600,000",
    "1 h 0 min",
    "running",
  ])
    expect(first).toContain(shown);
  for (const shown of ["scanner", "deliver, scan", "stopping"]) expect(second).toContain(shown);
  await forgetWorker(api.redis.redis, gpu.id);
  const { workers } = await firstEvent(api, visitor, `${WORKERS}/live?ids=workers`);
  expect(workers).toContain("scanner");
  expect(workers).not.toContain("gpu");
});

test.each([
  { tenant: "another", scopes: ["admin" as const, "read" as const] },
  { scopes: ["read" as const, "classify" as const] },
])("workers and queues are not for %j", async (wanted) => {
  const other = await visit(api, (await makeKey(api, wanted)).key);
  for (const path of [WORKERS, `${WORKERS}/live`, "/console/queues", "/console/queues/scan"]) {
    const { status, text } = await other.get(path);
    expect(status).toBe(403);
    expect(text).toContain(
      "This needs a key of the tenant &quot;default&quot; with the scope &quot;admin&quot;.",
    );
  }
  expect((await other.post("/console/queues/scan/pause")).status).toBe(403);
  const models = await other.get("/console/models");
  expect(models.text).not.toContain('href="/console/queues"');
  expect(models.text).not.toContain('href="/console/workers"');
});
