import { html } from "hono/html";
import type { ClassificationMetrics } from "../../../shared/contracts/classification.ts";
import type { Html } from "../page.ts";
import { duration } from "./time.ts";

/** The stages of a classification in their order. */
const STAGES = [
  { of: "queue_ms", name: "Waiting" },
  { of: "fetch_ms", name: "Fetching" },
  { of: "decode_ms", name: "Decoding" },
  { of: "batch_wait_ms", name: "Batching" },
  { of: "inference_ms", name: "Network" },
] as const;

/** The narrowest that a stage is drawn that took any time, in hundredths of the bar. */
const NARROWEST = 1;

/** Where the time of a classification went: a bar with a piece for each stage, and a key to it. */
export function timings(metrics: ClassificationMetrics): Html {
  const stages = STAGES.map(({ of, name }, index) => ({ name, index, ms: metrics[of] ?? 0 }));
  const total = Math.max(
    stages.reduce((sum, { ms }) => sum + ms, 0),
    1,
  );
  let x = 0;
  const pieces = stages.map(({ index, ms }) => {
    const width = ms === 0 ? 0 : Math.max((ms / total) * 100, NARROWEST);
    x += width;
    return html`<rect class="stage-${index}" x="${x - width}" width="${width}" height="8" />`;
  });
  return html`<svg
      class="timings"
      viewBox="0 0 ${Math.max(x, 100)} 8"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      ${pieces}
    </svg>
    <ul class="stages">
      ${stages.map(({ name, index, ms }) => html`<li class="stage-${index}">${name} <span class="number">${duration(ms)}</span></li>`)}
    </ul>`;
}
