import type { OptionSpecs, Values } from "./command.ts";
import { readDecimal, readWhole } from "./read-number.ts";

/** The most predictions that the service gives for an image. */
const MAX_TOP_K = 1_000;

/** The options that say how images are labelled. */
export const LABEL_OPTIONS = {
  model: { type: "string" },
  "top-k": { type: "string" },
  threshold: { type: "string" },
} as const satisfies OptionSpecs;

/** What `--help` says of them. */
export const LABEL_HELP = `  --model NAME       the model (default: the service's)
  --top-k N          how many labels for an image, best first
  --threshold N      leave out labels with a lower score, 0 to 1`;

/** The same as the contract spells them; without those that were not given. Throws UsageError. */
export function readLabelOptions({ model, "top-k": topK, threshold }: Values<typeof LABEL_OPTIONS>) {
  return {
    ...(model !== undefined && { model }),
    ...(topK !== undefined && { top_k: readWhole("--top-k", topK, MAX_TOP_K) }),
    ...(threshold !== undefined && { threshold: readDecimal("--threshold", threshold) }),
  };
}
