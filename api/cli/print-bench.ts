import type { BenchResult, Load } from "./bench.ts";
import { STAGES } from "./summarize.ts";
import type { Summary } from "./summarize.ts";

const WIDTH = 80;
const INDENT = 15;
const BAR = 36;

/** What a load showed, as text for a terminal of 80 columns; it ends in a newline. */
export function printBench(result: BenchResult): string {
  const { model, device, load, images, labelled, imagesPerSecond, latency, failures, advice } = result;
  return [
    row("Service", `model ${model} on ${device}`),
    row("Load", loadLine(load)),
    row("Labelled", `${labelled} of ${images} images, ${imagesPerSecond.toFixed(1)} images/s`),
    ...(latency === null
      ? []
      : [
          row(
            "Latency",
            `p50 ${ms(latency.p50)}, p90 ${ms(latency.p90)}, p99 ${ms(latency.p99)}, max ${ms(latency.max)}`,
          ),
        ]),
    row("Mean times", stageLine(result)),
    ...histogram(result),
    row(
      "Failures",
      Object.entries(failures)
        .map(([code, count]) => `${count} ${code}`)
        .join(", ") || "none",
    ),
    row("Change", advice.change),
    row("Because", advice.reason),
    "",
  ].join("\n");
}

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
    return `${label}${String(count).padStart(7)} of ${String(size).padStart(4)}  ${bar}`;
  });
}

const ms = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

/** A label and a text, broken at spaces. */
function row(label: string, text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && INDENT + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each, index) => (index === 0 ? label : "").padEnd(INDENT) + each).join("\n");
}
