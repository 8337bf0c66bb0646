import { UsageError, command } from "../command.ts";
import { showBatch } from "../show-batch.ts";
import { showClassification } from "../show-classification.ts";
import { showEndpoint } from "../show-endpoint.ts";
import { showLabeler } from "../show-labeler.ts";
import { showMessage } from "../show-message.ts";
import { showRun } from "../show-run.ts";

/** What shows each kind of id. */
const SHOWS: Readonly<Record<string, typeof showBatch>> = {
  cls_: showClassification,
  bat_: showBatch,
  lbl_: (client, id, _, context) => showLabeler(client, id, context),
  run_: showRun,
  whe_: (client, id, _, context) => showEndpoint(client, id, context),
  msg_: showMessage,
};

/** `tresline status`, and the same of each group of commands. */
export const status = command({
  help: `Usage: tresline status ID... [OPTION]...

Shows classifications (cls_…), batches (bat_…), labelers (lbl_…) and their runs
(run_…), webhook endpoints (whe_…) and their messages (msg_…).

  --wait             wait until they have ended; a labeler and an endpoint never
                     do
`,
  options: { wait: { type: "boolean" } },
  async run({ values, positionals: ids }, context) {
    if (ids.length === 0) throw new UsageError("status needs the id of what to show.");
    const client = context.connect();
    let code = 0;
    for (const id of ids) {
      const show = SHOWS[id.slice(0, 4)];
      if (!show) throw new UsageError(`${id} is no id: it begins with ${Object.keys(SHOWS).join(", ")}.`);
      code = Math.max(code, await show(client, id, values.wait ?? false, context));
    }
    return code;
  },
});
