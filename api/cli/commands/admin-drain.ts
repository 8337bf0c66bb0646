import type { WorkQueue } from "../../../shared/contracts/queue.ts";
import { pause } from "../../client/pause.ts";
import type { Queues } from "../../client/queues.ts";
import { UsageError, command } from "../command.ts";
import type { Progress } from "../open-progress.ts";
import { printQueues } from "../print-queues.ts";
import { watch } from "../watch.ts";

/** Milliseconds between looks at what is still in hand. */
const LOOK_MS = 500;

const LEFT = "All queues stay paused. Let workers go on by:\n  tresline admin resume --all";

/** `tresline admin drain`. */
export const adminDrain = command({
  help: `Usage: tresline admin drain [OPTION]...

For maintenance: pauses all queues and waits until no worker has anything in
hand. Then Redis may be stopped. Nothing is removed, and what is sent meanwhile
is accepted and waits, until tresline admin resume --all.
`,
  options: {},
  async run({ positionals }, { connect, asJson, out, err }) {
    if (positionals.length > 0) throw new UsageError("admin drain takes options only.");
    const { queues } = connect();
    const names = (await queues.list()).map(({ id }) => id);
    await Promise.all(names.map((name) => queues.pause(name)));
    const idle = await watch(
      err,
      () => LEFT,
      (update, signal) => untilIdle(queues, update, signal),
      "jobs",
    );
    await out(
      asJson
        ? idle.map((each) => `${JSON.stringify(each)}\n`).join("")
        : `${printQueues(idle)}\nNothing is in hand: Redis may be stopped now. ${LEFT}\n`,
    );
  },
});

/** Waits until nothing is in hand, and tells how much of what was at first has ended. */
async function untilIdle(
  queues: Queues,
  update: Progress["update"],
  signal: AbortSignal,
): Promise<WorkQueue[]> {
  for (let total = 0; ;) {
    const looked = await queues.list({ signal });
    const inHand = looked.reduce((sum, { active }) => sum + active, 0);
    total = Math.max(total, inHand);
    update(total - inHand, total);
    if (inHand === 0) return looked;
    await pause(LOOK_MS, signal);
  }
}
