import { command } from "../command.ts";
import { readOneId } from "../read-one-id.ts";
import { findRun, showRun } from "../show-run.ts";

/** `tresline labeler cancel`. */
export const labelerCancel = command({
  help: `Usage: tresline labeler cancel RUN [OPTION]...

Labels no more objects of a run. What has its labels by then keeps them.

  --wait             wait until it has ended
`,
  options: { wait: { type: "boolean" } },
  async run({ values, positionals }, context) {
    const client = context.connect();
    const { id, labeler_id } = await findRun(client, readOneId("labeler cancel", "run_", positionals));
    await client.labelers.runs.cancel(labeler_id, id);
    await showRun(client, id, values.wait ?? false, context);
  },
});
