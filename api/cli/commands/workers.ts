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

const DAY_S = 86_400;
/** The most characters of a worker's name that leave room for the rest. */
const NAMED = 18;

/** The end of a long name, where pods differ. */
const ending = (name: string) => (name.length > NAMED ? `…${name.slice(1 - NAMED)}` : name);

function toRow({ host, pid, roles, draining, labelling, started_at }: Worker): string[] {
  const does = labelling === null ? roles.join(", ") : `${labelling.model} on ${labelling.device}`;
  const upS = Math.max(0, (Date.now() - Date.parse(started_at)) / 1_000);
  return [
    ending(`${host}:${pid}`),
    draining ? "stopping" : does,
    labelling === null ? "–" : labelling.images_per_second.toFixed(1),
    labelling?.mean_micro_batch?.toFixed(1) ?? "–",
    labelling === null ? "–" : `${labelling.images_in_hand}`,
    upS < 2 * DAY_S ? printDuration(upS) : `${Math.floor(upS / DAY_S)} days`,
  ];
}
