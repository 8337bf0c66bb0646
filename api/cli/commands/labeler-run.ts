import { command } from "../command.ts";
import { readDecimal } from "../read-number.ts";
import { readOneId } from "../read-one-id.ts";
import { readS3Address } from "../s3-address.ts";
import { showRun } from "../show-run.ts";

/** `tresline labeler run`. */
export const labelerRun = command({
  help: `Usage: tresline labeler run ID [OPTION]...

Labels the objects of a labeler that are in the bucket and have no labels yet.

  --relabel          instead, those that another version of the model labelled
  --rate N           no more than so many images a second
  --inventory s3://BUCKET/…/manifest.json
                     take the objects from an S3 Inventory report instead of
                     listing the bucket
  --wait             wait until it has ended
`,
  options: {
    relabel: { type: "boolean" },
    rate: { type: "string" },
    inventory: { type: "string" },
    wait: { type: "boolean" },
  },
  async run({ values: { relabel, rate, inventory, wait = false }, positionals }, context) {
    const labelerId = readOneId("labeler run", "lbl_", positionals);
    const request = {
      mode: relabel ? ("relabel" as const) : ("backfill" as const),
      ...(rate !== undefined && { images_per_second: readDecimal("--rate", rate) }),
      ...(inventory !== undefined && { inventory: { s3: readS3Address("--inventory", inventory) } }),
    };
    const client = context.connect();
    const { id } = await client.labelers.runs.create(labelerId, request);
    return showRun(client, id, wait, context);
  },
});
