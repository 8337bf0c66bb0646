import { afterAll, beforeAll, expect, test } from "vitest";
import { Worker } from "../../../../shared/contracts/worker.ts";
import { announceWorker } from "../../../../shared/state/workers.ts";
import { announcedWorker } from "../../../support/announced-worker.ts";
import { serveApi } from "../../client/serve-api.ts";
import type { ServedApi } from "../../client/serve-api.ts";
import { linesOf, runTresline } from "../run-tresline.ts";

let api: ServedApi;
beforeAll(async () => {
  api = await serveApi();
  const pod = "tresline-worker-gpu-6c9f7d5b8-x2x4z";
  const labelling = announcedWorker().labelling && {
    ...announcedWorker().labelling,
    model: "tresnet_v2_l",
  };
  for (const each of [
    { host: pod, labelling },
    { host: "scanner", roles: ["deliver", "scan"], labelling: null },
    {
      host: "slow",
      draining: true,
      started_at: new Date(Date.now() - 50 * 3_600_000).toISOString(),
    },
  ])
    await announceWorker(api.redis.redis, announcedWorker(each as Partial<Worker>));
});
afterAll(() => api.close());

const run = (...args: string[]) =>
  runTresline(["workers", ...args], { TRESLINE_URL: api.url, TRESLINE_API_KEY: api.apiKey });

test("the workers are a table of 80 columns, and JSON lines with --json", async () => {
  const { code, out } = await run();
  expect(code).toBe(0);
  const [head, ...rows] = linesOf(out);
  expect(head).toMatch(/^WORKER +DOES +IMAGES\/S +BATCH +IN HAND +UP$/);
  expect(rows).toEqual([
    expect.stringMatching(/^scanner:4711 +deliver, scan +– +– +– +1 h 0 min$/),
    expect.stringMatching(/^slow:4711 +stopping +1000\.3 +31\.5 +96 +2 days$/),
    expect.stringMatching(/^…f7d5b8-x2x4z:4711 +tresnet_v2_l on cuda +1000\.3 +31\.5 +96 +1 h 0 min$/),
  ]);
  expect(Math.max(...linesOf(out).map((line) => line.length))).toBeLessThanOrEqual(80);
  const shown = linesOf((await run("--json")).out).map((line) => Worker.parse(JSON.parse(line)));
  expect(shown.map(({ host }) => host)).toEqual(["scanner", "slow", expect.stringMatching(/^tresline/)]);
});

test("tresline workers takes no argument", async () => {
  const { code, err } = await run("gpu-7");
  expect(code).toBe(2);
  expect(err).toContain("workers takes options only.");
});
