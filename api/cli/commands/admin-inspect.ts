import type { DeadLetter } from "../../../shared/contracts/queue.ts";
import type { Queues } from "../../client/queues.ts";
import { UsageError, command } from "../command.ts";
import type { Context } from "../command.ts";
import { printQueues } from "../print-queues.ts";
import { printTable } from "../print-table.ts";

/** Dead letters that are shown when not all are asked for. */
const SHOWN = 20;

/** `tresline admin inspect`. */
export const adminInspect = command({
  help: `Usage: tresline admin inspect [QUEUE [JOB]] [OPTION]...

Shows the queues and what they hold; of one queue also its dead letters, jobs
that nobody tries again, the newest ${SHOWN} first; and of one job, as JSON, all that
is known of it.

  --all              show all dead letters of the queue
`,
  options: { all: { type: "boolean" } },
  async run({ values: { all = false }, positionals: [queue, job, ...more] }, context) {
    if (more.length > 0 || (all && (queue === undefined || job !== undefined)))
      throw new UsageError("admin inspect takes a queue and a job of it at most, and --all with a queue.");
    const { queues } = context.connect();
    if (queue === undefined) await showQueues(queues, context);
    else if (job === undefined) await showQueue(queues, queue, all, context);
    else {
      const found = await queues.job(queue, job);
      await context.out(`${JSON.stringify(found, null, context.asJson ? 0 : 2)}\n`);
    }
  },
});

async function showQueues(queues: Queues, { asJson, out }: Context): Promise<void> {
  const listed = await queues.list();
  await out(asJson ? listed.map((each) => `${JSON.stringify(each)}\n`).join("") : printQueues(listed));
}

async function showQueue(queues: Queues, id: string, all: boolean, { asJson, out }: Context): Promise<void> {
  const queue = await queues.get(id);
  await out(asJson ? `${JSON.stringify(queue)}\n` : printQueues([queue]));
  const rows: string[][] = [];
  for await (const letter of queues.deadLetters(id)) {
    if (asJson) await out(`${JSON.stringify(letter)}\n`);
    else rows.push(toRow(letter));
    if (rows.length === SHOWN && !all) break;
  }
  if (rows.length === 0) return;
  const left = queue.dead - rows.length;
  await out(`\n${printTable(["REASON", "TRIES", "DIED", "JOB"], rows)}`);
  if (left > 0) await out(`${left} more: tresline admin inspect ${id} --all\n`);
}

/** The time is told without year and seconds: a row has 80 columns. */
const toRow = ({ reason, attempts, died_at, id }: DeadLetter) => [
  reason.replaceAll(/\s+/g, " "),
  `${attempts}`,
  died_at.slice(5, 16).replace("T", " "),
  id,
];
