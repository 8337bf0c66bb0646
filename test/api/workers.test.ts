import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Worker } from "../../shared/contracts/worker.ts";
import { announceWorker } from "../../shared/state/workers.ts";
import { announcedWorker } from "../support/announced-worker.ts";
import { readFigure, toDataUrl } from "./support/figures.ts";
import { makeKey } from "./support/make-key.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const SLOW = { timeout: 20_000 };

async function list(): Promise<Worker[]> {
  const { data } = (await (await api.request("/v1/workers")).json()) as { data: unknown[] };
  return data.map((each) => Worker.parse(each));
}

test("a worker tells what it labels with and how much it has labelled", async () => {
  expect(await list()).toEqual([]);
  await api.startWorker();
  await vi.waitFor(
    async () =>
      expect(await list()).toEqual([
        expect.objectContaining({
          object: "worker",
          pid: process.pid,
          version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
          roles: ["classify", "deliver", "scan"],
          draining: false,
          labelling: expect.objectContaining({
            model: "figures",
            device: "cpu",
            engine_instances: 1,
            images_in_hand: 0,
            images_labelled: 0,
            mean_micro_batch: null,
          }),
        }),
      ]),
    SLOW,
  );
  const image = { data: toDataUrl(readFigure("bar_chart_06.png")) };
  expect((await api.post("/v1/classifications", { image }, { prefer: "wait=30" })).status).toBe(200);
  await vi.waitFor(
    async () =>
      expect(await list()).toMatchObject([{ labelling: { images_labelled: 1, mean_micro_batch: 1 } }]),
    SLOW,
  );
  expect((await list())[0]?.labelling?.images_per_second).toBeGreaterThan(0);
});

test("workers are shown to whoever runs the service, and to no other tenant", async () => {
  await announceWorker(api.redis.redis, announcedWorker());
  expect(await list()).toContainEqual(expect.objectContaining({ host: "gpu-7" }));
  const { headers } = await makeKey(api, { tenant: "another", scopes: ["admin"] });
  const refused = await api.request("/v1/workers", { headers });
  expect(refused.status).toBe(403);
  expect(await refused.json()).toMatchObject({ detail: 'This needs a key of the tenant "default".' });
});
