import type { BenchResult, Load } from "./bench.ts";
import { printRows } from "./print-rows.ts";
import { STAGES } from "./summarize.ts";
import type { Summary } from "./summarize.ts";

const INDENT = 15;
const BAR = 36;

/** What a load showed, as text for a terminal of 80 columns; it ends in a newline. */
export function printBench(result: BenchResult): string {
  const { model, device, load, images, labelled, imagesPerSecond, latency, failures, advice } = result;
  const codes = Object.entries(failures).map(([code, count]) => `${count} ${code}`);
  return [
    printRows([
      ["Service", `model ${model} on ${device}`],
      ["Load", loadLine(load)],
      ["Labelled", `${labelled} of ${images} images, ${imagesPerSecond.toFixed(1)} images/s`],
      ["Latency", latency === null ? undefined : latencyLine(latency)],
      ["Mean times", stageLine(result)],
    ]),
    ...histogram(result),
    printRows([
      ["Failures", codes.join(", ") || "none"],
      ["Change", advice.change],
      ["Because", advice.reason],
    ]),
  ].join("");
}

const latencyLine = ({ p50, p90, p99, max }: NonNullable<BenchResult["latency"]>) =>
  `p50 ${ms(p50)}, p90 ${ms(p90)}, p99 ${ms(p99)}, max ${ms(max)}`;

const loadLine = (load: Load) =>
  load.kind === "batch"
    ? `one batch of ${load.count} images`
    : `${load.rate} images/s at random moments for ${load.seconds} s, each a request that waits`;

function stageLine({ stages }: Summary): string {
  const parts = STAGES.flatMap((stage) => {
    const value = stages[stage];
    return value === undefined ? [] : [`${stage.replace(/_ms$/, "").replaceAll("_", " ")} ${ms(value)}`];
  });
  return parts.join(", ") || "–";
}

function histogram({ microBatches }: Summary): string[] {
  const most = Math.max(...microBatches.map(({ count }) => count));
  return microBatches.map(({ size, count }, index) => {
    const label = (index === 0 ? "Micro-batches" : "").padEnd(INDENT);
    const bar = "█".repeat(Math.max(1, Math.round((BAR * count) / most)));
    return `${label}${String(count).padStart(7)} of ${String(size).padStart(4)}  ${bar}\n`;
  });
}

const ms = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
