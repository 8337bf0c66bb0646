// The standard benchmarks: node test/bench/run.ts [NAME…]. All of them, or those named; docs/bench/ is written when all were run.
import { endToEnd } from "./end-to-end.ts";
import { eventLoop } from "./event-loop.ts";
import { fullSize } from "./full-size.ts";
import { memory } from "./memory.ts";
import { million } from "./million.ts";
import { preferWait } from "./prefer-wait.ts";
import { queueLimit } from "./queue-limit.ts";
import { isMet } from "./support/bench.ts";
import type { Figure } from "./support/bench.ts";
import { describeMachine, machineLine } from "./support/machine.ts";
import { printFigures } from "./support/print-figures.ts";
import { writeGoals, writeReport } from "./support/write-report.ts";

const SCENARIOS: Readonly<Record<string, () => Promise<Figure[]>>> = {
  // First, before others have removed thousands of files: for a minute after that ext4 takes a millisecond to make one.
  "prefer-wait": preferWait,
  "full-size": fullSize,
  cifar10: () => endToEnd("cifar10", 1_000),
  figures: () => endToEnd("figures", 1_000),
  "queue-limit": queueLimit,
  "event-loop": eventLoop,
  memory,
  million,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in SCENARIOS));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no benchmark ${unknown.join(", ")}; there are ${Object.keys(SCENARIOS).join(", ")}.\n`,
  );
  process.exit(2);
}

// Redis is stopped when the process exits, which a signal alone does not make it do; workers end when they are left alone.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const machine = describeMachine();
const toRun = Object.entries(SCENARIOS).filter(([name]) => asked.length === 0 || asked.includes(name));
process.stderr.write(`${machineLine(machine)}\n`);
const figures: Figure[] = [];
for (const [index, [name, measure]] of toRun.entries()) {
  process.stderr.write(`${index + 1}/${toRun.length} ${name} … `);
  const began = performance.now();
  figures.push(...(await measure()));
  process.stderr.write(`${Math.round((performance.now() - began) / 1000)} s\n`);
}
process.stdout.write(printFigures(figures, { isDetailed: asked.length > 0 }));
if (asked.length === 0) {
  writeReport("results", { measuredAt: new Date(), machine, figures });
  writeGoals(figures);
}
process.exit(figures.every(isMet) ? 0 : 1);
