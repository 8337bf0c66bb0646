/** One figure of the benchmark: what was measured, in what unit, and the goal it is held against. */
export interface Figure {
  name: string;
  /** How it is measured, in words. */
  what: string;
  value: number;
  unit: "ratio" | "ms" | "%" | "MB" | "commands" | "handles" | "keys";
  /** What the value ought to be at least or at most, when there is a goal. */
  goal?: { atLeast: number } | { atMost: number };
  /** The value of each round when it is their median: how far they lie apart says how much to trust it. */
  rounds?: readonly number[];
  /** What was measured beside it, for the reader. */
  beside?: Record<string, number>;
  /** What it was made of, to be drawn. */
  curve?: Curve;
}

/** A line in a plot; those of the same plot are drawn together. */
export interface Curve {
  /** The plot's file name without its ending. */
  plot: string;
  /** What the plot shows, and on its axes. */
  title: string;
  x: string;
  y: string;
  /** What this line is. */
  line: string;
  points: readonly (readonly [x: number, y: number])[];
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** The median of rounds, and the rounds themselves. */
export const medianOf = (rounds: readonly number[]): Pick<Figure, "value" | "rounds"> => ({
  value: median(rounds),
  rounds,
});

/** Whether a figure is what it ought to be. */
export const isMet = ({ value, goal }: Figure): boolean =>
  goal === undefined || ("atLeast" in goal ? value >= goal.atLeast : value <= goal.atMost);
