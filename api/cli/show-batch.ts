import type { Batch } from "../../shared/contracts/batch.ts";
import type { Client } from "../client/client.ts";
import type { Context } from "./command.ts";
import { printDuration } from "./print-duration.ts";
import { printRows } from "./print-rows.ts";
import { endedOf, printCounts } from "./request-counts.ts";
import { watch } from "./watch.ts";

/** Prints a batch, with `isAwaited` once it has ended. Gives the exit code: 1 when it or one of its images failed. */
export async function showBatch(
  client: Client,
  id: string,
  isAwaited: boolean,
  { err, asJson, out }: Context,
): Promise<number> {
  const batch = !isAwaited
    ? await client.batches.get(id)
    : await watch(err, id, (update, signal) =>
        client.batches.wait(id, {
          signal,
          onProgress: ({ request_counts: counts }) => update(endedOf(counts), counts.total),
        }),
      );
  await out(asJson ? `${JSON.stringify(batch)}\n` : printBatch(batch));
  return isGood(batch) ? 0 : 1;
}

const isGood = ({ status, request_counts: { failed, canceled } }: Batch) =>
  failed + canceled === 0 && !["failed", "canceling", "canceled", "expired"].includes(status);

/** A batch for a person. */
function printBatch(batch: Batch): string {
  const { id, status, model, request_counts, progress, eta_seconds, retry_of, error } = batch;
  const endedAt = batch.completed_at ?? batch.failed_at ?? batch.canceled_at ?? batch.expired_at;
  return printRows([
    ["Batch", id],
    ["Status", status.replaceAll("_", " ")],
    ["Model", model],
    ["Images", printCounts(request_counts, endedAt === null)],
    ["Again", retry_of === null ? undefined : `what ${retry_of} left undone`],
    ["Why", error?.detail],
    endedAt === null
      ? ["Progress", printProgress(progress, eta_seconds)]
      : ["Took", printDuration((Date.parse(endedAt) - Date.parse(batch.created_at)) / 1_000)],
    ["Next", nextOf(id, status)],
  ]);
}

/** How far something is, 0 to 1, and how long it will take, in seconds, if that is known. */
export const printProgress = (progress: number, etaSeconds: number | null): string =>
  `${Math.floor(progress * 100)} %${etaSeconds === null ? "" : `, ${printDuration(etaSeconds)} left`}`;

function nextOf(id: string, status: Batch["status"]): string {
  if (status === "completed") return `tresline batch results ${id}`;
  if (status === "canceled" || status === "expired") return `tresline batch retry ${id}`;
  return status === "failed" ? "mend its source and create it again" : `tresline status ${id} --wait`;
}
