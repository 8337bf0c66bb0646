import { Batch, BatchResult } from "../../shared/contracts/batch.ts";
import { storageKeys } from "../../shared/keys.ts";
import { checkMessage } from "./check-message.ts";
import { faultOfOutcome, isPassing } from "./check-outcome.ts";
import { count, violate } from "./checking.ts";
import type { Checking } from "./checking.ts";
import { getAccepted } from "./get-accepted.ts";
import type { AskedBatch } from "./ledger.ts";
import type { Expected } from "./pictures.ts";
import { STORAGE_PREFIX } from "./test-bucket.ts";

const ENDED: readonly string[] = ["completed", "failed", "canceled", "expired"];

/** Accounts for each batch that was asked for and each of its items, and looks for batches that nobody knows. */
export async function checkBatches(checking: Checking): Promise<void> {
  const { ledger, bucket } = checking;
  for (const asked of ledger.batches) await checkBatch(asked, checking);
  const known = new Set([...ledger.batches.flatMap(({ ids }) => [...ids]), ...ledger.runIds]);
  const stored = await bucket.keysUnder(STORAGE_PREFIX + storageKeys.batches());
  for (const id of new Set(stored.map((key) => key.split("/")[2] ?? "")))
    if (!known.has(id))
      violate(checking, "a request is done once", id, "is stored, and no request was answered with it");
}

async function checkBatch(asked: AskedBatch, checking: Checking): Promise<void> {
  const accepted = await getAccepted(asked, "/v1/batches", checking);
  if (accepted === undefined) return;
  const { id, text } = accepted;
  const batch = Batch.parse(JSON.parse(text));
  if (!ENDED.includes(batch.status))
    return violate(checking, "an accepted id ends", id, `is ${batch.status} long after everything was well`);
  const isRight = batch.status === "completed" || (batch.status === "canceled" && asked.cancel !== "no");
  if (!isRight)
    violate(checking, "everything else", id, `is ${batch.status}: ${JSON.stringify(batch.error)}`);
  const results = await checkItems(id, asked.items, asked.cancel !== "no", checking);
  const ended = (wanted: string) => results.filter((result) => result.status === wanted).length;
  const counted = {
    total: results.length,
    succeeded: ended("succeeded"),
    failed: ended("failed"),
    canceled: ended("canceled"),
  };
  if (JSON.stringify(counted) !== JSON.stringify(batch.request_counts))
    violate(
      checking,
      "an id has one result",
      id,
      `counts ${JSON.stringify(batch.request_counts)}, and its lines ${JSON.stringify(counted)}`,
    );
  count(checking, `batches ${batch.status}`);
  if (asked.hook !== undefined)
    await checkMessage({ resource: batch, type: `batch.${batch.status}`, url: asked.hook }, checking);
}

/** Accounts for each item of a batch or a run by its line in the results, and gives those. */
export async function checkItems(
  id: string,
  items: ReadonlyMap<string, Expected>,
  mayBeCanceled: boolean,
  checking: Checking,
): Promise<BatchResult[]> {
  const results = await readLines(storageKeys.batchResults(id), checking);
  const lines = Map.groupBy(results, ({ custom_id }) => custom_id);
  for (const [customId, expected] of items) {
    const name = `${id} ${customId}`;
    const [line, ...more] = lines.get(customId) ?? [];
    if (more.length > 0) violate(checking, "an id has one result", name, `has ${more.length + 1} lines`);
    if (line === undefined) {
      violate(checking, "an accepted id ends", name, "has no line in the results");
      continue;
    }
    const known = { mayFail: checking.wasS3Away, mayBeCanceled };
    const fault = line.status === "skipped" ? undefined : faultOfOutcome(line, expected, known);
    if (fault !== undefined) violate(checking, "everything else", name, fault);
    count(checking, isPassing(line) ? "items that failed for S3" : `items ${line.status}`);
  }
  for (const customId of lines.keys())
    if (!items.has(customId)) violate(checking, "everything else", `${id} ${customId}`, "was not asked for");
  const unlabelled = results.filter(({ status }) => status === "failed" || status === "canceled");
  const errors = await readLines(storageKeys.batchErrors(id), checking);
  if (JSON.stringify(errors) !== JSON.stringify(unlabelled))
    violate(
      checking,
      "an id has one result",
      id,
      "errors.jsonl has other lines than results.jsonl has without labels",
    );
  return results;
}

async function readLines(key: string, { bucket }: Checking): Promise<BatchResult[]> {
  const text = (await bucket.read(STORAGE_PREFIX + key)) ?? "";
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => BatchResult.parse(JSON.parse(line)));
}
