import { command } from "../command.ts";
import { printQueues } from "../print-queues.ts";
import { readQueues } from "../read-queues.ts";

/** `tresline admin pause`. */
export const adminPause = command({
  help: `Usage: tresline admin pause QUEUE|--all [OPTION]...

Lets workers take no more jobs of a queue until it is resumed, whatever is
restarted meanwhile. What is in hand is finished, and more is accepted.

  --all              pause all queues
`,
  options: { all: { type: "boolean" } },
  async run({ values, positionals }, { connect, asJson, out }) {
    const { queues } = connect();
    const names = await readQueues("admin pause", positionals, values.all, queues);
    const done = await Promise.all(names.map((name) => queues.pause(name)));
    await out(asJson ? done.map((each) => `${JSON.stringify(each)}\n`).join("") : printQueues(done));
  },
});
