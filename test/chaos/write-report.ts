import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SeedReport } from "./run-seed.ts";
import { summarize } from "./summarize.ts";

const FILE = join(import.meta.dirname, "../../docs/chaos.json");

/** Writes docs/chaos.json: what a run of all seeds came to, and each seed by itself. */
export function writeReport(reports: readonly SeedReport[]): void {
  const report = {
    run_on: new Date().toISOString().slice(0, 10),
    seeds: reports.length,
    ...summarize(reports),
    by_seed: reports.map(({ seed, seconds, injected, violations }) => ({
      seed,
      seconds,
      faults: injected.length,
      longest_fault_s: Math.max(...injected.map(({ fault }) => fault.lastsMs), 0) / 1_000,
      violations,
    })),
  };
  writeFileSync(FILE, `${JSON.stringify(report, null, 2)}\n`);
}
