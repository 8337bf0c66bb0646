import type { Batch } from "../../shared/contracts/batch.ts";
import type { Client } from "../client/client.ts";
import type { Context } from "./command.ts";
import { printDuration } from "./print-duration.ts";
import { printRows } from "./print-rows.ts";
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
    : await watch(err, {
        left: () => `${id} goes on without this command; see it again by: tresline status ${id} --wait`,
        wait: (update, signal) =>
          client.batches.wait(id, {
            signal,
            onProgress: ({ request_counts: { total, succeeded, failed, canceled } }) =>
              update(succeeded + failed + canceled, total),
          }),
      });
  await out(asJson ? `${JSON.stringify(batch)}\n` : printBatch(batch));
  return isGood(batch) ? 0 : 1;
}

const isGood = ({ status, request_counts: { failed, canceled } }: Batch) =>
  failed + canceled === 0 && !["failed", "canceling", "canceled", "expired"].includes(status);

/** A batch for a person. */
function printBatch(batch: Batch): string {
  const { id, status, model, progress, eta_seconds: eta, request_counts: counts, error, retry_of } = batch;
  const endedAt = batch.completed_at ?? batch.failed_at ?? batch.canceled_at ?? batch.expired_at;
  const outcomes = (["succeeded", "failed", "canceled"] as const)
    .filter((each) => counts[each] > 0)
    .map((each) => `${counts[each]} ${each}`);
  return printRows([
    ["Batch", id],
    ["Status", status.replaceAll("_", " ")],
    ["Model", model],
    ["Images", [`${counts.total}${endedAt === null ? " known so far" : ""}`, ...outcomes].join(", ")],
    ...(retry_of === null ? [] : [["Again", `what ${retry_of} left undone`] as const]),
    ...(error === null ? [] : [["Why", error.detail] as const]),
    endedAt === null
      ? ["Progress", `${Math.floor(progress * 100)} %${eta === null ? "" : `, ${printDuration(eta)} left`}`]
      : ["Took", printDuration((Date.parse(endedAt) - Date.parse(batch.created_at)) / 1_000)],
    ["Next", nextOf(id, status)],
  ]);
}

function nextOf(id: string, status: Batch["status"]): string {
  if (status === "completed") return `tresline batch results ${id}`;
  if (status === "canceled" || status === "expired") return `tresline batch retry ${id}`;
  return status === "failed" ? "mend its source and create it again" : `tresline status ${id} --wait`;
}
