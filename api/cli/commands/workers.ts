import type { Worker } from "../../client/client.ts";
import { UsageError, command } from "../command.ts";
import { printDuration } from "../print-duration.ts";
import { printTable } from "../print-table.ts";

/** `tresline workers`. */
export const workers = command({
  help: `Usage: tresline workers [OPTION]...

Lists the workers that are alive, with what they have labelled: images a second
and images in a micro-batch over the last minute, and how long they have run.
It takes a key of whoever runs the service, with the scope admin.
`,
  options: {},
  async run({ positionals }, { connect, asJson, out }) {
    if (positionals.length > 0) throw new UsageError("workers takes options only.");
    const listed = await connect().workers.list();
    await out(
      asJson
        ? listed.map((each) => `${JSON.stringify(each)}\n`).join("")
        : printTable(["WORKER", "DOES", "IMAGES/S", "BATCH", "IN HAND", "UP"], listed.map(toRow)),
    );
  },
});

function toRow({ host, pid, roles, draining, labelling, started_at }: Worker): string[] {
  const does = labelling === null ? roles.join(", ") : `${labelling.model} on ${labelling.device}`;
  const upS = Math.max(0, (Date.now() - Date.parse(started_at)) / 1_000);
  return [
    `${host}:${pid}`,
    draining ? "stopping" : does,
    labelling === null ? "–" : labelling.images_per_second.toFixed(1),
    labelling?.mean_micro_batch?.toFixed(1) ?? "–",
    labelling === null ? "–" : `${labelling.images_in_hand}`,
    printDuration(upS),
  ];
}
