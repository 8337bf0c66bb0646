import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { goalBars } from "./goal-bars.ts";
import { isMet } from "./bench.ts";
import type { Curve, Figure } from "./bench.ts";
import { linePlot } from "./line-plot.ts";
import type { Machine } from "./machine.ts";

const FOLDER = join(import.meta.dirname, "../../../docs/bench");

/** What was measured, when, and on what. */
export interface Report {
  measuredAt: Date;
  machine: Machine;
  figures: readonly Figure[];
}

/** Writes docs/bench/{report}.json and the plots of its curves beside it. */
export function writeReport(report: string, { measuredAt, machine, figures }: Report): void {
  mkdirSync(FOLDER, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(FOLDER, name), text);
  const results = {
    measured_on: measuredAt.toISOString().slice(0, 10),
    machine,
    figures: figures.map(({ curve, ...figure }) => ({
      ...figure,
      met: isMet(figure),
      ...(curve === undefined ? {} : { plot: `${curve.plot}.svg` }),
    })),
  };
  write(`${report}.json`, `${JSON.stringify(results, rounded, 2)}\n`);
  const plots = Map.groupBy(
    figures.flatMap(({ curve }) => curve ?? []),
    ({ plot }: Curve) => plot,
  );
  for (const [plot, curves] of plots) write(`${plot}.svg`, linePlot(curves));
}

/** Writes docs/bench/goals.svg: the figures of the standard set against their goals. */
export const writeGoals = (figures: readonly Figure[]): void =>
  writeFileSync(join(FOLDER, "goals.svg"), goalBars(figures));

const rounded = (_key: string, value: unknown) =>
  typeof value === "number" ? Number(value.toPrecision(5)) : value;
