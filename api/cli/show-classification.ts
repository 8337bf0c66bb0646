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
    : await watch(err, {
        left: () => `${id} goes on without this command; see it again by: tresline status ${id} --wait`,
        wait: (_, signal) => client.classifications.wait(id, { signal }),
      });
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
  const rows: (readonly [string, string])[] = [
    ["Classification", id],
    ["Status", status],
    ["Model", device === null ? model : `${model} on ${device}`],
  ];
  if (labels) rows.push(["Labels", labels.join(", ") || "none above the threshold"]);
  if (error) rows.push(["Why", `${error.code}: ${error.detail}`]);
  if (metrics.total_ms !== undefined) rows.push(["Took", `${Math.round(metrics.total_ms)} ms`]);
  return printRows(rows);
}
