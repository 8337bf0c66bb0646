import { command } from "../command.ts";
import { readOneId } from "../read-one-id.ts";

/** `tresline labeler results`. */
export const labelerResults = command({
  help: `Usage: tresline labeler results RUN [OPTION]...

Writes what became of the objects of a run that has ended to the standard
output, as JSON, an object a line.
`,
  options: {},
  async run({ positionals }, { connect, out }) {
    const { runs } = connect().labelers;
    const { id, labeler_id } = await runs.find(readOneId("labeler results", "run_", positionals));
    for await (const result of runs.results(labeler_id, id)) await out(`${JSON.stringify(result)}\n`);
  },
});
