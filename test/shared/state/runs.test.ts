import { afterAll, beforeAll, expect, test } from "vitest";
import { Run } from "../../../shared/contracts/labeler.ts";
import { newId } from "../../../shared/new-id.ts";
import {
  endBatch,
  finalizeBatch,
  getBatchState,
  putBatch,
  startBatch,
} from "../../../shared/state/batches.ts";
import { countChunk, sealChunks } from "../../../shared/state/count-chunk.ts";
import { toRun } from "../../../shared/state/runs.ts";
import { batchRecord } from "../../support/labelling.ts";
import { startTestRedis } from "../../support/redis.ts";
import type { TestRedis } from "../../support/redis.ts";

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

const labeler = { id: newId("lbl"), write_back: "none", on_error: "report", mode: "relabel" } as const;
async function stateOf(id: string) {
  const state = await getBatchState(server.redis, id);
  if (state === undefined) throw new Error(`Redis has no ${id}.`);
  return state;
}

test("a run goes through the states of a batch, counts what it skipped and is paused only while in progress", async () => {
  const { redis } = server;
  const id = newId("run");
  await putBatch(redis, batchRecord({ id, labeler, images_per_second: 2 }), 0);
  const seen: Run[] = [];
  const look = async () => {
    const state = await stateOf(id);
    for (const paused of [false, true]) seen.push(Run.parse(toRun(state, { paused })));
  };
  await look();
  await startBatch(redis, id);
  await countChunk(redis, id, { number: 0, counts: { succeeded: 1, skipped: 2 } });
  await sealChunks(redis, id, 1);
  await look();
  await finalizeBatch(redis, id);
  await endBatch(redis, id, "completed", new Date().toISOString());
  await look();
  expect(seen.map(({ status }) => status)).toEqual([
    "validating",
    "validating",
    "in_progress",
    "paused",
    "completed",
    "completed",
  ]);
  expect(seen.at(-1)).toMatchObject({
    id,
    labeler_id: labeler.id,
    mode: "relabel",
    images_per_second: 2,
    request_counts: { succeeded: 1, failed: 0, canceled: 0, skipped: 2 },
  });
});

test("a batch that no labeler started is not a run", async () => {
  const record = batchRecord();
  await putBatch(server.redis, record, 0);
  const state = await stateOf(record.id);
  expect(() => toRun(state, { paused: false })).toThrow("This is a bug.");
});
