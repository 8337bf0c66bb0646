/** One figure of the benchmark: what was measured, in what unit, and the ratio that is held against a goal. */
export interface Figure {
  name: string;
  /** How it is measured, in words. */
  what: string;
  value: number;
  unit: string;
  /** What the value ought to be at least or at most, when there is a goal. */
  goal?: { atLeast: number } | { atMost: number };
  /** What was measured beside it, for the reader. */
  beside?: Record<string, number>;
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** The value that the given part of all values, 0 to 1, does not exceed. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? NaN;
}

/** Whether a figure is what it ought to be. */
export const isMet = ({ value, goal }: Figure): boolean =>
  goal === undefined || ("atLeast" in goal ? value >= goal.atLeast : value <= goal.atMost);
