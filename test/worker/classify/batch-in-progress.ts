import pLimit from "p-limit";
import { BatchResult } from "../../../shared/contracts/batch.ts";
import type { BatchRecord, ClassifyChunkPayload } from "../../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { queueNames } from "../../../shared/queue.ts";
import { getBatchState, putBatch, startBatch } from "../../../shared/state/batches.ts";
import { sealChunks } from "../../../shared/state/count-chunk.ts";
import { batchRecord, testLabelling } from "../../support/labelling.ts";
import type { Answers } from "../../support/labelling.ts";
import { readQueue } from "../../support/queue-reader.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

/** How a test begins a batch and looks at what came of its chunks, with the parts of a worker that are `atHand` at that moment. */
export function batchInProgress(atHand: () => WorkerTestDeps) {
  const chunkDeps = (answers: Answers) => {
    const { classifyDeps, fetched } = testLabelling(atHand(), answers);
    return { deps: { ...classifyDeps, inHand: pLimit(8) }, fetched };
  };

  /** A batch of `chunks` chunks in progress, and the job of one of them with an item for each path. */
  async function startedBatch(
    chunks: number,
    paths: string[],
    chunk = 0,
    more: Partial<BatchRecord> = {},
  ): Promise<ClassifyChunkPayload> {
    const { redis } = atHand();
    const record = batchRecord(more);
    await putBatch(redis, record, chunks * paths.length);
    await startBatch(redis, record.id);
    await sealChunks(redis, record.id, chunks);
    const items = paths.map((path, i) => ({
      index: chunk * paths.length + i,
      custom_id: `item ${path}`,
      image: { type: "url" as const, url: `https://images.example${path}` },
    }));
    return {
      kind: "chunk",
      batch_id: record.id,
      tenant: "default",
      model: "birds",
      top_k: 1,
      threshold: 0,
      chunk,
      items,
    };
  }
  async function part({ batch_id, chunk }: ClassifyChunkPayload): Promise<BatchResult[]> {
    const bytes = await atHand().storage.get(storageKeys.batchPart(batch_id, chunk));
    const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
    return lines.map((line) => BatchResult.parse(JSON.parse(line)));
  }
  const counts = async ({ batch_id }: ClassifyChunkPayload) =>
    (await getBatchState(atHand().redis, batch_id))?.batch.request_counts;
  const finishJobs = async ({ batch_id }: ClassifyChunkPayload) =>
    (await readQueue(atHand().redis, queueNames.scan)).filter(({ id }) => id === `${batch_id}-finish`);
  return { chunkDeps, startedBatch, part, counts, finishJobs };
}
