import type { RunReport } from "../../shared/contracts/labeler.ts";
import type { Storage } from "../../shared/storage/storage.ts";
import { readResults } from "./result-rows.ts";

/** The most changes that are counted at a time, each from one label to another. */
const MAX_COUNTED = 10_000;
const MOST_FREQUENT = 100;

/**
 * What a relabelling changed, by its results: what had labels before and has been labelled again. The counts are right,
 * and with up to 10 000 different changes so is the order. Of more, those that may be frequent are found in a first pass
 * (Misra and Gries, "Finding repeated elements", 1982: whatever is more than one in 10 000 of all) and counted in a second.
 */
export async function relabelReport(storage: Storage, runId: string): Promise<RunReport> {
  const counts = new Map<string, number>();
  const totals = { changed: 0, unchanged: 0 };
  let isWhole = true;
  for await (const change of bestLabels(storage, runId)) {
    if (change.from === change.to) {
      totals.unchanged++;
      continue;
    }
    totals.changed++;
    const name = JSON.stringify([change.from, change.to]);
    const known = counts.get(name);
    if (known !== undefined || counts.size < MAX_COUNTED) counts.set(name, (known ?? 0) + 1);
    else {
      isWhole = false;
      lowerAll(counts);
    }
  }
  if (!isWhole) await recount(storage, runId, counts);
  return { ...totals, changes: mostFrequent(counts) };
}

/** The best label of the time before and that of now, null where nothing was seen, of each object that has both. */
async function* bestLabels(storage: Storage, runId: string) {
  for await (const { result } of readResults(storage, runId))
    if (result.previous !== undefined && result.status === "succeeded")
      yield { from: result.previous.label, to: result.predictions?.[0]?.label ?? null };
}

function lowerAll(counts: Map<string, number>): void {
  for (const [name, count] of counts)
    if (count === 1) counts.delete(name);
    else counts.set(name, count - 1);
}

async function recount(storage: Storage, runId: string, counts: Map<string, number>): Promise<void> {
  for (const name of counts.keys()) counts.set(name, 0);
  for await (const { from, to } of bestLabels(storage, runId)) {
    const name = JSON.stringify([from, to]);
    const known = counts.get(name);
    if (known !== undefined) counts.set(name, known + 1);
  }
}

/** Those of the same count in the order of their labels, so that the same results make the same report. */
function mostFrequent(counts: ReadonlyMap<string, number>): RunReport["changes"] {
  return [...counts]
    .toSorted(([nameA, a], [nameB, b]) => b - a || (nameA < nameB ? -1 : 1))
    .slice(0, MOST_FREQUENT)
    .map(([name, count]) => {
      const [from, to] = JSON.parse(name) as [string | null, string | null];
      return { from, to, count };
    });
}
