import pLimit from "p-limit";
import type { Classification } from "../../../shared/contracts/classification.ts";
import { TreslineError } from "../../client/tresline-error.ts";
import { UsageError, command } from "../command.ts";
import type { Context } from "../command.ts";
import { LABEL_HELP, LABEL_OPTIONS, readLabelOptions } from "../label-options.ts";
import { openImage } from "../open-image.ts";
import { printTable } from "../print-table.ts";
import { watch } from "../watch.ts";

/** Images that are sent, and waited for, at once. */
const AT_ONCE = 8;
/** Statuses of an answer that blames the image: the others may do. */
const OF_THE_IMAGE = [400, 413, 415, 422];

/** What became of one image: `id` is null when the service did not take it. */
interface Outcome {
  image: string;
  id: string | null;
  status: Classification["status"];
  predictions: Classification["predictions"];
  error: { code: string; detail: string } | null;
}

/** `tresline classify`. */
export const classify = command({
  help: `Usage: tresline classify FILE|URL... [OPTION]...

Has images labelled: files, http addresses, or objects s3://BUCKET/KEY of the
buckets that the service may read.

  --wait             wait for the labels and print them
${LABEL_HELP}
                     (1 label when --top-k is not given)
`,
  options: { ...LABEL_OPTIONS, wait: { type: "boolean" } },
  async run({ values, positionals: images }, context) {
    if (images.length === 0) throw new UsageError("classify needs the files or addresses of images.");
    const client = context.connect();
    const options = { top_k: 1, ...readLabelOptions(values) };
    const ids: string[] = [];
    const labelOne = async (image: string, signal: AbortSignal): Promise<Outcome> => {
      const accepted = await client.classifications.create(await openImage(image, context), options, {
        signal,
      });
      ids.push(accepted.id);
      return {
        ...(values.wait ? await client.classifications.wait(accepted.id, { signal }) : accepted),
        image,
      };
    };
    const left = () =>
      ids.length === 0
        ? "Stopped before the service had taken an image."
        : `${ids.length} of ${images.length} images go on. See the first again by:\n  tresline status ${ids[0]} --wait`;
    const outcomes = await watch(context.err, left, async (update, signal) => {
      let ended = 0;
      update(ended, images.length);
      return pLimit(AT_ONCE).map(images, async (image) => {
        const outcome = await labelOne(image, signal).catch((error: unknown) => faultOf(image, error));
        update(++ended, images.length);
        return outcome;
      });
    });
    await print(outcomes, values.wait ?? false, context);
    return outcomes.every(({ error }) => error === null) ? 0 : 1;
  },
});

/** What is wrong with this image. Throws the error again when the others would meet it too. */
function faultOf(image: string, error: unknown): Outcome {
  const none = { image, id: null, status: "failed", predictions: null } as const;
  if (error instanceof UsageError)
    return { ...none, error: { code: "cannot_be_read", detail: error.message } };
  if (!(error instanceof TreslineError) || !OF_THE_IMAGE.includes(error.status ?? 0)) throw error;
  return { ...none, error: { code: error.code, detail: error.detail } };
}

async function print(
  outcomes: readonly Outcome[],
  isEnded: boolean,
  { asJson, err, out }: Context,
): Promise<void> {
  if (asJson) return out(outcomes.map((outcome) => `${JSON.stringify(outcome)}\n`).join(""));
  for (const { image, error } of outcomes) if (error) err.write(`tresline: ${image}: ${error.detail}\n`);
  if (!isEnded)
    return out(
      printTable(
        ["IMAGE", "ID"],
        outcomes.map(({ image, id, error }) => [image, id ?? error?.code ?? ""]),
      ),
    );
  const rows = outcomes.flatMap(({ image, status, predictions, error }) => {
    const [best, ...others] = predictions ?? [];
    if (best === undefined) return [[image, error?.code ?? (status === "succeeded" ? "–" : status), ""]];
    return [
      [image, best.label, best.score.toFixed(3)],
      ...others.map(({ label, score }) => ["", label, score.toFixed(3)]),
    ];
  });
  return out(printTable(["IMAGE", "LABEL", "SCORE"], rows));
}
