import { OnError, WriteBack } from "../../../shared/contracts/labeler.ts";
import { UsageError, command } from "../command.ts";
import { LABEL_HELP, LABEL_OPTIONS, readLabelOptions } from "../label-options.ts";
import { readS3Address } from "../s3-address.ts";
import { showLabeler } from "../show-labeler.ts";

/** `tresline labeler create`. */
export const labelerCreate = command({
  help: `Usage: tresline labeler create s3://BUCKET/PREFIX [OPTION]...

Labels the objects of a bucket whose key begins so: from now on those that the
bucket's events tell of, and by tresline labeler run those that are there.

  --suffix TEXT      only keys that end so; may be given again
  --write-back HOW   put the labels into the bucket too: as tags of the object,
                     or as a sidecar file beside it (default: none)
  --on-error HOW     report (the default), or write_back the error's code too
${LABEL_HELP}
  --webhook URL|ID   where to deliver signed events about its runs: an
                     address, or a webhook endpoint (whe_…)
`,
  options: {
    suffix: { type: "string", multiple: true },
    "write-back": { type: "string" },
    "on-error": { type: "string" },
    ...LABEL_OPTIONS,
    webhook: { type: "string" },
  },
  async run({ values, positionals: [place, ...more] }, context) {
    if (place === undefined || more.length > 0)
      throw new UsageError("labeler create takes one address, such as s3://photos/2026/.");
    const { bucket, key: prefix } = readS3Address("The place", place);
    const client = context.connect();
    const { id } = await client.labelers.create({
      bucket,
      prefix,
      suffixes: values.suffix,
      write_back: readChoice("--write-back", WriteBack.options, values["write-back"]),
      on_error: readChoice("--on-error", OnError.options, values["on-error"]),
      ...readLabelOptions(values),
      webhook: values.webhook,
    });
    return showLabeler(client, id, context);
  },
});

function readChoice<Choice extends string>(
  option: string,
  choices: readonly Choice[],
  text: string | undefined,
): Choice | undefined {
  const choice = choices.find((each) => each === text);
  if (text !== undefined && choice === undefined)
    throw new UsageError(`${option} must be ${choices.join(" or ")}; it is "${text}".`);
  return choice;
}
