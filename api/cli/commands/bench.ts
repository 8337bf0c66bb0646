import { MAX_INLINE_ITEMS } from "../../../shared/contracts/batch.ts";
import { bench } from "../bench.ts";
import type { Load } from "../bench.ts";
import { UsageError, command } from "../command.ts";
import type { Values } from "../command.ts";
import { openImageFile } from "../open-image.ts";
import { openProgress } from "../open-progress.ts";
import { printBench } from "../print-bench.ts";
import { readWhole } from "../read-number.ts";
import { samplePng } from "../sample-png.ts";

const MAX_RATE = 10_000;
const MAX_SECONDS = 3_600;
const MAX_IMAGES = 100_000;

const OPTIONS = {
  rate: { type: "string" },
  seconds: { type: "string" },
  batch: { type: "string" },
  image: { type: "string", multiple: true },
} as const;

/** `tresline bench`. */
export const benchCommand = command({
  help: `Usage: tresline bench [URL] [OPTION]...

Puts a load on the service at URL and says how fast it labels, where the time
goes and what to change to make it faster.

  --rate N           images a second, at random moments whether or not the
                     service keeps up; each waits for its labels (default 10)
  --seconds N        for so long (default 10)
  --batch N          instead of that, N images as one batch (${MAX_INLINE_ITEMS} at most)
  --image FILE       what to send; may be given again, then they take turns
                     (default: a picture of 64 by 64 pixels)
`,
  options: OPTIONS,
  async run({ values, positionals: [url, ...more] }, context) {
    if (more.length > 0)
      throw new UsageError(`bench takes one address; it was also given ${more.join(" ")}.`);
    // An image that is refused is a failure to be counted, not to be sent again.
    const client = context.connect({ retries: 0, ...(url !== undefined && { url }) });
    const load = readLoad(values);
    const images = values.image
      ? await Promise.all(values.image.map((path) => openImageFile(path, context)))
      : [new Blob([Buffer.from(samplePng())], { type: "image/png" })];
    const total = load.kind === "batch" ? load.count : Math.round(load.rate * load.seconds);
    const progress = openProgress(context.err);
    progress.update(0, total);
    const result = await bench(client, images, load, (ended) => progress.update(ended, total)).finally(
      progress.stop,
    );
    await context.out(context.asJson ? `${JSON.stringify(result)}\n` : printBench(result));
    return result.labelled === result.images ? 0 : 1;
  },
});

function readLoad({ rate, seconds, batch }: Values<typeof OPTIONS>): Load {
  if (batch !== undefined) {
    if (rate !== undefined || seconds !== undefined)
      throw new UsageError("--batch sends all at once: it takes neither --rate nor --seconds.");
    return { kind: "batch", count: readWhole("--batch", batch, MAX_INLINE_ITEMS) };
  }
  const load = {
    kind: "rate" as const,
    rate: readWhole("--rate", rate ?? "10", MAX_RATE),
    seconds: readWhole("--seconds", seconds ?? "10", MAX_SECONDS),
  };
  if (load.rate * load.seconds > MAX_IMAGES)
    throw new UsageError(
      `${load.rate} images/s for ${load.seconds} s are more than ${MAX_IMAGES} images; send fewer.`,
    );
  return load;
}
