import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { goalBars } from "./goal-bars.ts";
import { isMet } from "./bench.ts";
import type { Curve, Figure } from "./bench.ts";
import { linePlot } from "./line-plot.ts";
import type { Machine } from "./machine.ts";

const FOLDER = join(import.meta.dirname, "../../../docs/bench");

/** Writes docs/bench/results.json and the plots beside it. */
export function writeReport(report: {
  measuredAt: Date;
  machine: Machine;
  figures: readonly Figure[];
}): void {
  const { measuredAt, machine, figures } = report;
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
  write("results.json", `${JSON.stringify(results, rounded, 2)}\n`);
  write("goals.svg", goalBars(figures));
  const plots = Map.groupBy(
    figures.flatMap(({ curve }) => curve ?? []),
    ({ plot }: Curve) => plot,
  );
  for (const [plot, curves] of plots) write(`${plot}.svg`, linePlot(curves));
}

const rounded = (_key: string, value: unknown) =>
  typeof value === "number" ? Number(value.toPrecision(5)) : value;
