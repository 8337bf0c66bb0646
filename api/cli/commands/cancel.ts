import type { Client } from "../../client/client.ts";
import { UsageError, command } from "../command.ts";
import { showBatch } from "../show-batch.ts";
import { showClassification } from "../show-classification.ts";
import { showRun } from "../show-run.ts";

/** How each kind of id is canceled, and what shows it. */
const CANCELS: Readonly<
  Record<string, { cancel: (client: Client, id: string) => Promise<unknown>; show: typeof showBatch }>
> = {
  cls_: { cancel: ({ classifications }, id) => classifications.cancel(id), show: showClassification },
  bat_: { cancel: ({ batches }, id) => batches.cancel(id), show: showBatch },
  run_: { cancel: cancelRun, show: showRun },
};

/** `tresline cancel`, and the same of the groups of commands. */
export const cancel = command({
  help: `Usage: tresline cancel ID [OPTION]...

Labels no more of a classification (cls_…), a batch (bat_…) or a labeler's run
(run_…). What has its labels by then keeps them.

  --wait             wait until it has ended
`,
  options: { wait: { type: "boolean" } },
  async run({ values, positionals: [id = "", ...more] }, context) {
    const kind = CANCELS[id.slice(0, 4)];
    if (kind === undefined || more.length > 0)
      throw new UsageError("cancel takes one id, which begins with cls_, bat_ or run_.");
    const client = context.connect();
    await kind.cancel(client, id);
    await kind.show(client, id, values.wait ?? false, context);
  },
});

async function cancelRun({ labelers: { runs } }: Client, id: string): Promise<unknown> {
  const { labeler_id } = await runs.find(id);
  return runs.cancel(labeler_id, id);
}
