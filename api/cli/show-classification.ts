import type { Classification } from "../../shared/contracts/classification.ts";
import type { Client } from "../client/client.ts";
import type { Context } from "./command.ts";
import { printRows } from "./print-rows.ts";
import { watch } from "./watch.ts";

/** Prints a classification, with `isAwaited` once it has ended. Gives the exit code: 1 when it has no labels and never will. */
export async function showClassification(
  client: Client,
  id: string,
  isAwaited: boolean,
  { err, asJson, out }: Context,
): Promise<number> {
  const classification = !isAwaited
    ? await client.classifications.get(id)
    : await watch(err, id, (_, signal) => client.classifications.wait(id, { signal }));
  await out(asJson ? `${JSON.stringify(classification)}\n` : printClassification(classification));
  const { status, completed_at } = classification;
  return completed_at === null || status === "succeeded" ? 0 : 1;
}

/** A classification for a person. */
function printClassification({
  id,
  status,
  model,
  device,
  predictions,
  error,
  metrics,
}: Classification): string {
  const labels = predictions?.map(({ label, score }) => `${label} ${score.toFixed(3)}`);
  return printRows([
    ["Classification", id],
    ["Status", status],
    ["Model", device === null ? model : `${model} on ${device}`],
    ["Labels", labels && (labels.join(", ") || "none above the threshold")],
    ["Why", error === null ? undefined : `${error.code}: ${error.detail}`],
    ["Took", metrics.total_ms === undefined ? undefined : `${Math.round(metrics.total_ms)} ms`],
  ]);
}
