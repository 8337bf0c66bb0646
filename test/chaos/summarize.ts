import { FAULTS } from "./fault.ts";
import type { FaultKind } from "./fault.ts";
import type { SeedReport } from "./run-seed.ts";
import type { Promised } from "./violation.ts";

/** The promises, in the order in which they are told. */
export const PROMISES: readonly Promised[] = [
  "an accepted id ends",
  "an id has one result",
  "a message has one id",
  "a request is done once",
  "everything else",
];

/** What all seeds came to together. */
export interface Summary {
  seconds: number;
  faults: Record<FaultKind, { injected: number; not_injected: number }>;
  counts: Record<string, number>;
  broken: Record<Promised, number>;
}

/** Sums up what became of seeds. */
export function summarize(reports: readonly SeedReport[]): Summary {
  const injected = reports.flatMap((report) => report.injected);
  const violations = reports.flatMap((report) => report.violations);
  const faultsOf = (kind: FaultKind) => {
    const drawn = injected.filter(({ fault }) => fault.kind === kind);
    const notInjected = drawn.filter(({ refusal }) => refusal !== undefined).length;
    return { injected: drawn.length - notInjected, not_injected: notInjected };
  };
  const counts: Record<string, number> = {};
  for (const [what, count] of reports.flatMap((report) => Object.entries(report.counts)))
    counts[what] = (counts[what] ?? 0) + count;
  return {
    seconds: Math.round(reports.reduce((sum, { seconds }) => sum + seconds, 0)),
    faults: Object.fromEntries(
      Object.keys(FAULTS).map((kind) => [kind, faultsOf(kind as FaultKind)]),
    ) as Summary["faults"],
    counts: Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => a.localeCompare(b))),
    broken: Object.fromEntries(
      PROMISES.map((promise) => [
        promise,
        violations.filter((violation) => violation.promise === promise).length,
      ]),
    ) as Summary["broken"],
  };
}
