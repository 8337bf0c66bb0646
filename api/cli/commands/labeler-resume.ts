import { command } from "../command.ts";
import { readOneId } from "../read-one-id.ts";
import { showLabeler } from "../show-labeler.ts";

/** `tresline labeler resume`. */
export const labelerResume = command({
  help: `Usage: tresline labeler resume ID [OPTION]...

Goes on where it was paused, and starts a run when objects were missed.
`,
  options: {},
  async run({ positionals }, context) {
    const client = context.connect();
    const { id } = await client.labelers.resume(readOneId("labeler resume", "lbl_", positionals));
    return showLabeler(client, id, context);
  },
});
