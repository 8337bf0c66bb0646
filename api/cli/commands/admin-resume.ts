import { command } from "../command.ts";
import { printQueues } from "../print-queues.ts";
import { readQueues } from "../read-queues.ts";

/** `tresline admin resume`. */
export const adminResume = command({
  help: `Usage: tresline admin resume QUEUE|--all [OPTION]...

Lets workers take jobs of a queue again.

  --all              resume all queues
`,
  options: { all: { type: "boolean" } },
  async run({ values, positionals }, { connect, asJson, out }) {
    const { queues } = connect();
    const names = await readQueues("admin resume", positionals, values.all, queues);
    const done = await Promise.all(names.map((name) => queues.resume(name)));
    await out(asJson ? done.map((each) => `${JSON.stringify(each)}\n`).join("") : printQueues(done));
  },
});
