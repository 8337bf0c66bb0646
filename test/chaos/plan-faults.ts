import { FAULTS } from "./fault.ts";
import type { Fault, FaultKind } from "./fault.ts";
import type { Random } from "./random.ts";

/** The processes that faults happen to. */
export const APIS = ["api-1", "api-2"] as const;
/** Of the workers the first does everything, the second classifies and scans, the third delivers. */
export const WORKERS = {
  "worker-1": "classify,deliver,scan",
  "worker-2": "classify,scan",
  "worker-3": "deliver",
} as const;

/** Milliseconds in which faults begin. */
const WINDOW_MS = 25_000;
/** In every seed, since they are the usual ones. */
const ALWAYS: readonly FaultKind[] = ["worker-killed", "worker-killed", "api-killed", "receiver-flaps"];
/** How many kinds are drawn besides. */
const DRAWN = 6;
/** The shortest and the longest that a fault lasts, in milliseconds. */
const LASTS: Partial<Record<FaultKind, readonly [number, number]>> = {
  "redis-killed": [100, 3_000],
  "redis-restarted": [100, 3_000],
  "redis-paused": [2_000, 10_000],
  "redis-out-of-memory": [2_000, 8_000],
  "redis-disk-full": [2_000, 8_000],
  "s3-slow-down": [3_000, 10_000],
  "s3-silent": [3_000, 10_000],
  "s3-answers-lost": [3_000, 8_000],
  "receiver-flaps": [6_000, 15_000],
  "clock-jumps": [4_000, 12_000],
};
/** In three of five seeds one of these lasts for half a minute, longer than locks and timeouts do. */
const HALF_A_MINUTE: readonly FaultKind[] = ["redis-paused", "s3-silent", "s3-slow-down"];
const HALF_A_MINUTE_MS = 30_000;
/**
 * Of each of these only one fault is under way at a time. Redis has time to write its file before the next: while the disk
 * is full it has acknowledged what is only in its memory, and a kill would then lose that, whoever uses it.
 */
const ONE_AT_A_TIME = ["redis-", "s3-", "receiver-", "clock-"];
const BETWEEN_MS = 3_000;

/** What happens to the service in a seed: which faults, when, for how long, to whom. The earliest first. */
export function planFaults(seed: number, random: Random): Fault[] {
  const long = HALF_A_MINUTE[seed % 5];
  const others = (Object.keys(FAULTS) as FaultKind[]).filter(
    (kind) => !ALWAYS.includes(kind) && kind !== long,
  );
  const kinds = [
    ...ALWAYS,
    ...(long === undefined ? [] : [long]),
    ...random.shuffled(others).slice(0, DRAWN),
  ];
  const drawn = kinds.map((kind): Fault => {
    const [shortest, longest] = LASTS[kind] ?? [0, 0];
    return {
      kind,
      atMs: random.between(1_000, kind === long ? 4_000 : WINDOW_MS),
      lastsMs: kind === long ? HALF_A_MINUTE_MS : random.between(shortest, longest),
      victim: victimOf(kind, random),
    };
  });
  return ONE_AT_A_TIME.reduce(oneAtATime, drawn).toSorted((a, b) => a.atMs - b.atMs);
}

function victimOf(kind: FaultKind, random: Random): string | undefined {
  if (kind.startsWith("api-")) return random.pick(APIS);
  if (kind.startsWith("worker-")) return random.pick(Object.keys(WORKERS));
  return kind === "clock-jumps" ? random.pick([...APIS, ...Object.keys(WORKERS)]) : undefined;
}

/** The same faults, those whose kind begins so put off until the one before is over. */
function oneAtATime(faults: readonly Fault[], begin: string): Fault[] {
  let free = 0;
  const order = faults.toSorted((a, b) => a.atMs - b.atMs);
  return order.map((fault) => {
    if (!fault.kind.startsWith(begin)) return fault;
    const atMs = Math.max(fault.atMs, free);
    free = atMs + fault.lastsMs + BETWEEN_MS;
    return { ...fault, atMs };
  });
}
