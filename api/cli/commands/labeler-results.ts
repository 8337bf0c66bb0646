import { command } from "../command.ts";
import { readOneId } from "../read-one-id.ts";
import { findRun } from "../show-run.ts";

/** `tresline labeler results`. */
export const labelerResults = command({
  help: `Usage: tresline labeler results RUN [OPTION]...

Writes what became of the objects of a run that has ended to the standard
output, as JSON, an object a line.
`,
  options: {},
  async run({ positionals }, { connect, out }) {
    const client = connect();
    const { id, labeler_id } = await findRun(client, readOneId("labeler results", "run_", positionals));
    for await (const result of client.labelers.runs.results(labeler_id, id))
      await out(`${JSON.stringify(result)}\n`);
  },
});
