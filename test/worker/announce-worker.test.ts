import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { aliveWorkers } from "../../shared/state/workers.ts";
import { announceThisWorker } from "../../worker/announce-worker.ts";
import { startTestRedis } from "../support/redis.ts";
import type { TestRedis } from "../support/redis.ts";

const birds = { model: "birds", model_digest: "sha256:0", device: "cpu", engine_instances: 1 };

let server: TestRedis;
beforeEach(async () => {
  server = await startTestRedis();
});
afterEach(async () => {
  vi.useRealTimers();
  await server.stop();
});

/** Fake time goes on by the interval each time that one is waited for. */
const SLOW = { timeout: 15_000, interval: 10 };

const alive = () => aliveWorkers(server.redis);

test("a worker is there at once, tells what it does as it learns it, and is gone when it has stopped", async () => {
  const announced = announceThisWorker(server.redis, ["classify"]);
  await vi.waitFor(
    async () =>
      expect(await alive()).toMatchObject([
        { pid: process.pid, roles: ["classify"], draining: false, labelling: null },
      ]),
    SLOW,
  );
  announced.serve(birds, { inHand: 3, labelled: 0, microBatches: 0 });
  await vi.waitFor(
    async () => expect(await alive()).toMatchObject([{ labelling: { ...birds, images_in_hand: 3 } }]),
    SLOW,
  );
  announced.drain();
  await vi.waitFor(async () => expect(await alive()).toMatchObject([{ draining: true }]), SLOW);
  await announced.stop();
  expect(await alive()).toEqual([]);
});

test("every five seconds it tells what it has labelled since", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date", "performance"] });
  const counts = { inHand: 0, labelled: 0, microBatches: 0 };
  const announced = announceThisWorker(server.redis, ["classify"]);
  announced.serve(birds, counts);
  await vi.waitFor(async () => expect(await alive()).toMatchObject([{ labelling: birds }]), SLOW);
  Object.assign(counts, { inHand: 8, labelled: 100, microBatches: 40 });
  vi.advanceTimersByTime(5_000);
  await vi.waitFor(
    async () =>
      expect(await alive()).toMatchObject([
        {
          labelling: {
            images_in_hand: 8,
            images_labelled: 100,
            images_per_second: 20,
            mean_micro_batch: 2.5,
          },
        },
      ]),
    SLOW,
  );
  await announced.stop();
});

test("a worker that stops does not wait for a Redis that is away", async () => {
  const announced = announceThisWorker(server.redis, ["scan"]);
  await vi.waitFor(async () => expect(await alive()).toHaveLength(1), SLOW);
  await server.redis.quit();
  await expect(announced.stop()).resolves.toBeUndefined();
});
