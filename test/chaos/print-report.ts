import { printTable } from "../../api/cli/print-table.ts";
import { FAULTS } from "./fault.ts";
import type { Fault, FaultKind } from "./fault.ts";
import type { SeedReport } from "./run-seed.ts";
import { PROMISES, summarize } from "./summarize.ts";

/** What will happen in a seed, a line a fault: when, for how long, to whom, and what that is. */
export const printPlan = (faults: readonly Fault[]): string =>
  faults
    .map(({ kind, atMs, lastsMs, victim = "" }) => {
      const lasts = lastsMs === 0 ? "" : ` for ${(lastsMs / 1_000).toFixed(1)} s`;
      const what = `${kind}${lasts} ${victim}`.trimEnd();
      return `  at ${(atMs / 1_000).toFixed(1).padStart(4)} s  ${what}: ${FAULTS[kind]}`;
    })
    .join("\n");

/** What all seeds came to: how many faults of each kind, what was accounted for, and which promises were broken. */
export function printReport(reports: readonly SeedReport[]): string {
  const { faults, counts, broken, seconds } = summarize(reports);
  const rows = (Object.keys(FAULTS) as FaultKind[]).map((kind) => [
    kind,
    String(faults[kind].injected),
    String(faults[kind].not_injected),
  ]);
  const accounted = Object.entries(counts).map(([what, count]) => [what, String(count)]);
  const promises = PROMISES.map((promise) => [promise, String(broken[promise])]);
  return [
    `\n${reports.length} seeds in ${seconds} s\n`,
    printTable(["fault", "injected", "not injected"], rows),
    printTable(["accounted for", "count"], accounted),
    printTable(["promise", "broken"], promises),
  ].join("\n");
}
