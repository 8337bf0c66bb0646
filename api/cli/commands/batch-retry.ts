import { command } from "../command.ts";
import { readOneId } from "../read-one-id.ts";
import { showBatch } from "../show-batch.ts";

/** `tresline batch retry`. */
export const batchRetry = command({
  help: `Usage: tresline batch retry ID [OPTION]...

Makes a new batch of the images of an ended one that failed or were canceled.

  --wait             wait until it has ended
`,
  options: { wait: { type: "boolean" } },
  async run({ values, positionals }, context) {
    const client = context.connect();
    const { id } = await client.batches.retry(readOneId("batch retry", "bat_", positionals));
    return showBatch(client, id, values.wait ?? false, context);
  },
});
