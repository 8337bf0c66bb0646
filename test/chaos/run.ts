// The chaos suite: SEED=n node test/chaos/run.ts for one seed, SEEDS=20 for the seeds 1 to 20, which is the default.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { printDuration } from "../../api/cli/print-duration.ts";
import { startCeph } from "../support/ceph-cluster.ts";
import { ensureDemoModel } from "../../worker/model/demo.ts";
import { planFaults } from "./plan-faults.ts";
import { planLoad } from "./plan-load.ts";
import { printPlan, printReport } from "./print-report.ts";
import { createRandom } from "./random.ts";
import { runSeed } from "./run-seed.ts";
import type { SeedReport } from "./run-seed.ts";
import { textOf } from "./violation.ts";
import { writeReport } from "./write-report.ts";

/** Milliseconds in which requests are sent. */
const SENDING_MS = 28_000;

const one = process.env["SEED"];
const count = Number(process.env["SEEDS"] ?? 20);
const seeds = one === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(one)];
if (seeds.length === 0 || !seeds.every(Number.isInteger)) {
  process.stderr.write("SEED is a whole number, and SEEDS how many there are.\n");
  process.exit(2);
}
const say = (line: string) => process.stderr.write(`${line}\n`);

// Ceph and Redis end with this process, which a signal alone does not make it do in order.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const folder = mkdtempSync(join(tmpdir(), "tresline-chaos-"));
const modelsDir = join(folder, "models");
ensureDemoModel("figures", modelsDir);
say("Starting Ceph …");
const ceph = await startCeph();
const reports: SeedReport[] = [];
for (const [i, number] of seeds.entries()) {
  const random = createRandom(number);
  const faults = planFaults(number, random);
  const load = planLoad(random, { windowMs: SENDING_MS, faults, share: 1 });
  say(`\nSeed ${number} (${i + 1} of ${seeds.length}):\n${printPlan(faults)}`);
  const directory = join(folder, `seed-${number}`);
  const began = performance.now();
  const report = await runSeed({ number, faults, load }, { ceph, directory, modelsDir, tell: say }).catch(
    (error: unknown): SeedReport => ({
      seed: number,
      seconds: Math.round((performance.now() - began) / 1_000),
      injected: [],
      counts: {},
      violations: [{ promise: "everything else", id: "harness", detail: textOf(error) }],
    }),
  );
  reports.push(report);
  for (const { promise, id, detail } of report.violations)
    say(`BROKEN: ${promise}: ${id} ${detail.slice(0, 1_000)}`);
  if (report.violations.length > 0) say(`Again: SEED=${number} make chaos. Logs: ${directory}`);
  const leftS = ((seeds.length - i - 1) * performance.now()) / (i + 1) / 1_000;
  const broken = `${report.violations.length} promises broken`;
  say(`Seed ${number}: ${broken}, ${report.seconds} s; ${printDuration(leftS)} left`);
}
await ceph.stop().catch((error: unknown) => say(textOf(error)));
const isSound = reports.every(({ violations }) => violations.length === 0);
if (isSound) rmSync(folder, { recursive: true, force: true });
process.stdout.write(printReport(reports));
if (one === undefined) writeReport(reports);
process.exit(isSound ? 0 : 1);
