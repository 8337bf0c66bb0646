import { command } from "../command.ts";
import { readOneId } from "../read-one-id.ts";
import { showLabeler } from "../show-labeler.ts";

/** `tresline labeler pause`. */
export const labelerPause = command({
  help: `Usage: tresline labeler pause ID [OPTION]...

Labels nothing more, its runs standing still, until it is resumed.
`,
  options: {},
  async run({ positionals }, context) {
    const client = context.connect();
    const { id } = await client.labelers.pause(readOneId("labeler pause", "lbl_", positionals));
    return showLabeler(client, id, context);
  },
});
