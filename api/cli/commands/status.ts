import { UsageError, command } from "../command.ts";
import { showBatch } from "../show-batch.ts";
import { showClassification } from "../show-classification.ts";

const SHOWS = new Map([
  ["cls_", showClassification],
  ["bat_", showBatch],
]);

/** `tresline status`, and the same of each group of commands. */
export const status = command({
  help: `Usage: tresline status ID... [OPTION]...

Shows classifications (cls_…) and batches (bat_…).

  --wait             wait until they have ended
`,
  options: { wait: { type: "boolean" } },
  async run({ values, positionals: ids }, context) {
    if (ids.length === 0) throw new UsageError("status needs the id of what to show.");
    const client = context.connect();
    let code = 0;
    for (const id of ids) {
      const show = SHOWS.get(id.slice(0, 4));
      if (!show) throw new UsageError(`${id} is no id: it begins with cls_ or bat_.`);
      code = Math.max(code, await show(client, id, values.wait ?? false, context));
    }
    return code;
  },
});
