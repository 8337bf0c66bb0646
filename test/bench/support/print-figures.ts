import Table from "cli-table3";
import { isMet } from "./bench.ts";
import type { Figure } from "./bench.ts";

/** The figures as a table for a terminal of 80 columns; with `isDetailed`, how each was measured and what was measured beside it follows. It ends in a newline. */
export function printFigures(figures: readonly Figure[], { isDetailed }: { isDetailed: boolean }): string {
  const table = new Table({
    head: ["figure", "value", "rounds", "goal", "met"],
    colWidths: [34, 11, 13, 10, 6],
    colAligns: ["left", "right", "right", "right", "left"],
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 1 },
    wordWrap: true,
  });
  for (const figure of figures)
    table.push([
      figure.name,
      withUnit(figure.value, figure.unit),
      spread(figure),
      goalText(figure),
      figure.goal === undefined ? "–" : isMet(figure) ? "yes" : "NO",
    ]);
  return `${table.toString()}\n${isDetailed ? figures.map(detail).join("") : ""}`;
}

/** A value with its unit, to three significant digits. */
export const withUnit = (value: number, unit: Figure["unit"]): string =>
  unit === "ratio" ? number(value) : `${number(value)} ${unit}`;

/** What a figure ought to be, or a dash. */
export function goalText({ goal, unit }: Figure): string {
  if (goal === undefined) return "–";
  return "atLeast" in goal ? `≥ ${withUnit(goal.atLeast, unit)}` : `≤ ${withUnit(goal.atMost, unit)}`;
}

const number = (value: number) =>
  Math.abs(value) >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));

const spread = ({ rounds }: Figure) =>
  rounds === undefined ? "" : `${number(Math.min(...rounds))}–${number(Math.max(...rounds))}`;

const detail = ({ name, what, beside = {} }: Figure) =>
  [
    `\n${name}`,
    `  ${what}`,
    ...Object.entries(beside).map(([label, value]) => `  ${label.padEnd(32)} ${number(value)}`),
    "",
  ].join("\n");
