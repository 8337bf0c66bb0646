import { command } from "../command.ts";
import { readOneId } from "../read-one-id.ts";
import { showBatch } from "../show-batch.ts";

/** `tresline batch cancel`. */
export const batchCancel = command({
  help: `Usage: tresline batch cancel ID [OPTION]...

Labels no more images of a batch. What has its labels by then keeps them.

  --wait             wait until it has ended
`,
  options: { wait: { type: "boolean" } },
  async run({ values, positionals }, context) {
    const id = readOneId("batch cancel", "bat_", positionals);
    const client = context.connect();
    await client.batches.cancel(id);
    await showBatch(client, id, values.wait ?? false, context);
  },
});
