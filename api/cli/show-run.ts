import type { Run } from "../../shared/contracts/labeler.ts";
import type { Client } from "../client/client.ts";
import type { Context } from "./command.ts";
import { printDuration } from "./print-duration.ts";
import { printRows } from "./print-rows.ts";
import { endedOf, printCounts } from "./request-counts.ts";
import { printProgress } from "./show-batch.ts";
import { watch } from "./watch.ts";

/** The most frequent changes of a `relabel` that are told. */
const CHANGES = 5;

/** Prints a run, with `isAwaited` once it has ended. Gives the exit code: 1 when it or one of its images failed. */
export async function showRun(
  client: Client,
  id: string,
  isAwaited: boolean,
  { err, asJson, out }: Context,
): Promise<number> {
  const { runs } = client.labelers;
  const found = await runs.find(id);
  const run = !isAwaited
    ? found
    : await watch(err, id, (update, signal) =>
        runs.wait(found.labeler_id, id, {
          signal,
          onProgress: ({ request_counts: counts }) => update(endedOf(counts), counts.total),
        }),
      );
  await out(asJson ? `${JSON.stringify(run)}\n` : printRun(run));
  const { status, request_counts: counts } = run;
  const isGood =
    counts.failed + counts.canceled === 0 && !["failed", "canceling", "canceled"].includes(status);
  return isGood ? 0 : 1;
}

/** A run for a person. */
function printRun(run: Run): string {
  const { id, labeler_id, mode, status, model, request_counts, progress, eta_seconds, error } = run;
  const endedAt = run.completed_at ?? run.failed_at ?? run.canceled_at;
  return printRows([
    ["Run", `${id}, a ${mode}`],
    ["Labeler", labeler_id],
    ["Status", status.replaceAll("_", " ")],
    ["Model", model],
    ["Images", printCounts(request_counts, endedAt === null)],
    ["Changed", run.report === null ? undefined : printReport(run.report)],
    ["Why", error?.detail],
    endedAt === null
      ? ["Progress", printProgress(progress, eta_seconds)]
      : ["Took", printDuration((Date.parse(endedAt) - Date.parse(run.created_at)) / 1_000)],
    ["Next", endedAt === null ? `tresline status ${id} --wait` : `tresline labeler results ${id}`],
  ]);
}

function printReport({ changed, unchanged, changes }: NonNullable<Run["report"]>): string {
  const told = changes
    .slice(0, CHANGES)
    .map(({ from, to, count }) => `${count} ${from ?? "none"} → ${to ?? "none"}`);
  return [`${changed} of ${changed + unchanged} best labels`, ...told].join(", ");
}
