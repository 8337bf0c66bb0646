import type { Labeler } from "../../shared/contracts/labeler.ts";
import type { Client } from "../client/client.ts";
import type { Context } from "./command.ts";
import { printRows } from "./print-rows.ts";
import { printTable } from "./print-table.ts";
import { printCounts } from "./request-counts.ts";

/** The latest runs that are shown with their labeler. */
const RUNS = 5;

/** Prints a labeler and its latest runs. Gives the exit code: 0. */
export async function showLabeler(client: Client, id: string, { asJson, out }: Context): Promise<number> {
  const labeler = await client.labelers.get(id);
  if (asJson) await out(`${JSON.stringify(labeler)}\n`);
  else {
    const runs = (await client.labelers.runs.list(id)).slice(0, RUNS);
    const rows = runs.map(({ id: run, status, request_counts }) => [
      run,
      status.replaceAll("_", " "),
      printCounts(request_counts, false),
    ]);
    await out(
      printLabeler(labeler) + (rows.length > 0 ? `\n${printTable(["RUN", "STATUS", "IMAGES"], rows)}` : ""),
    );
  }
  return 0;
}

function printLabeler(labeler: Labeler): string {
  const { id, status, model, write_back, event_counts: events } = labeler;
  const told = Object.entries(events).flatMap(([way, count]) => (count > 0 ? [`${count} ${way}`] : []));
  return printRows([
    ["Labeler", id],
    ["Status", status],
    ["Of", placeOf(labeler)],
    ["Model", model],
    ["Writes back", write_back],
    ["By events", told.join(", ") || "nothing yet"],
    ["Next", `tresline labeler ${status === "paused" ? "resume" : "run"} ${id}`],
  ]);
}

/** Which objects a labeler is for: `s3://photos/2026/ (.jpg)`. */
export const placeOf = ({ bucket, prefix, suffixes }: Labeler): string =>
  `s3://${bucket}/${prefix}${suffixes === null ? "" : ` (${suffixes.join(" ")})`}`;
