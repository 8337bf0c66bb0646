import Table from "cli-table3";
import type { Batch, BatchResult } from "../../shared/contracts/batch.ts";
import type { DemoImage } from "./find-images.ts";

/** The table of all pictures and the figures below it, for a terminal 80 columns wide. */
export function report(images: readonly DemoImage[], results: readonly BatchResult[], batch: Batch): string {
  const table = new Table({
    head: ["image", "true class", "top label", "score", ""],
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
    style: { head: [], border: [] },
    colWidths: [29, 15, 15, 8, 4],
  });
  const rows = images.map((image, index) => ({ image, result: results[index] }));
  for (const { image, result } of rows) {
    const top = result?.predictions?.[0];
    const label = top?.label ?? result?.error?.code ?? "–";
    table.push([
      image.name,
      image.trueClass ?? "–",
      label,
      top?.score.toFixed(3) ?? "–",
      mark(image, top?.label),
    ]);
  }
  return `${table.toString()}\n\n${accuracy(rows)}${speed(results, batch)}`;
}

const mark = ({ trueClass }: DemoImage, label: string | undefined) =>
  trueClass === undefined ? "" : trueClass === label ? "✓" : "✗";

function accuracy(rows: { image: DemoImage; result: BatchResult | undefined }[]): string {
  const known = rows.filter(({ image }) => image.trueClass !== undefined);
  if (known.length === 0) return "";
  const right = known.filter(
    ({ image, result }) => result?.predictions?.[0]?.label === image.trueClass,
  ).length;
  return `Accuracy          ${right} of ${known.length} right, ${((100 * right) / known.length).toFixed(1)} %\n`;
}

function speed(
  results: readonly BatchResult[],
  { created_at, finalizing_at, request_counts }: Batch,
): string {
  const seconds = (Date.parse(finalizing_at ?? created_at) - Date.parse(created_at)) / 1000;
  const sizes = results.flatMap(({ metrics }) => metrics.batch_size ?? []);
  // An image in a micro-batch of n is one n-th of a micro-batch.
  const microBatches = sizes.reduce((sum, size) => sum + 1 / size, 0);
  return [
    `Outcome           ${request_counts.succeeded} succeeded, ${request_counts.failed} failed`,
    `Speed             ${(request_counts.total / seconds).toFixed(1)} images/s, from the request to the last result`,
    `Mean micro-batch  ${(sizes.length / microBatches).toFixed(1)} images`,
    "",
  ].join("\n");
}
