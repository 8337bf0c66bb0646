import { OUTPUT_FORMATS } from "../../../shared/contracts/batch.ts";
import { UsageError, command } from "../command.ts";
import type { Values } from "../command.ts";
import { LABEL_HELP, LABEL_OPTIONS, readLabelOptions } from "../label-options.ts";
import { readItems } from "../read-items.ts";
import { readS3Address } from "../s3-address.ts";
import { showBatch } from "../show-batch.ts";

const OPTIONS = {
  items: { type: "string" },
  prefix: { type: "string" },
  suffix: { type: "string", multiple: true },
  manifest: { type: "string" },
  inventory: { type: "string" },
  ...LABEL_OPTIONS,
  webhook: { type: "string" },
  format: { type: "string", multiple: true },
  "cancel-after": { type: "string" },
  wait: { type: "boolean" },
} as const;

/** `tresline batch create`. */
export const batchCreate = command({
  help: `Usage: tresline batch create SOURCE [OPTION]...

Has many images labelled together. SOURCE is one of

  --items FILE       up to 10000 lines, each an address (http://, https://,
                     s3://) or {"custom_id": "…", "image": {…}}; - is the
                     standard input
  --prefix s3://BUCKET/PREFIX
                     all objects of a bucket whose key begins so
  --manifest s3://BUCKET/KEY
                     a file with a line an image
  --inventory s3://BUCKET/…/manifest.json
                     what an S3 Inventory report lists

  --suffix TEXT      only keys that end so; may be given again (with --prefix
                     and --inventory)
${LABEL_HELP}
  --webhook URL|ID   where to deliver signed events about the batch: an
                     address, or a webhook endpoint (whe_…)
  --format FORMAT    write the results as csv or parquet too; may be given again
  --cancel-after T   leave undone what is not labelled after 30s, 5m or 2h
  --wait             wait until it has ended
`,
  options: OPTIONS,
  async run({ values, positionals }, context) {
    if (positionals.length > 0)
      throw new UsageError(`batch create takes options only; it was given ${positionals.join(" ")}.`);
    const request = {
      ...(await readSource(values, context.readFile)),
      ...readLabelOptions(values),
      webhook: values.webhook,
      output_formats: values.format?.map(readFormat),
    };
    const client = context.connect();
    const { id } = await client.batches.create(request, { cancelAfter: values["cancel-after"] });
    return showBatch(client, id, values.wait ?? false, context);
  },
});

/** The source as the contract spells it. Throws UsageError unless there is just one. */
async function readSource(
  { items, prefix, suffix, manifest, inventory }: Values<typeof OPTIONS>,
  readFile: (path: string) => Promise<Buffer>,
) {
  if ([items, prefix, manifest, inventory].filter((source) => source !== undefined).length !== 1)
    throw new UsageError("batch create needs one of --items, --prefix, --manifest and --inventory.");
  if (suffix && prefix === undefined && inventory === undefined)
    throw new UsageError("--suffix goes with --prefix or --inventory.");
  const suffixes = suffix && { suffixes: suffix };
  if (items !== undefined) return { items: readItems(await readFile(items), items) };
  if (manifest !== undefined) return { manifest: { s3: readS3Address("--manifest", manifest) } };
  if (inventory !== undefined)
    return { inventory: { s3: readS3Address("--inventory", inventory), ...suffixes } };
  const { bucket, key } = readS3Address("--prefix", prefix ?? "");
  return { prefix: { bucket, prefix: key, ...suffixes } };
}

function readFormat(text: string): (typeof OUTPUT_FORMATS)[number] {
  const format = OUTPUT_FORMATS.find((each) => each === text);
  if (!format) throw new UsageError(`--format must be ${OUTPUT_FORMATS.join(" or ")}; it is "${text}".`);
  return format;
}
