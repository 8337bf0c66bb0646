import type { WorkQueue } from "../../shared/contracts/queue.ts";
import { printDuration } from "./print-duration.ts";
import { printTable } from "./print-table.ts";

/** A table of queues. Jobs that are put off until later are LATER; those that are due count with those that wait. */
export const printQueues = (queues: readonly WorkQueue[]): string =>
  printTable(["QUEUE", "WAITING", "LATER", "IN HAND", "DEAD", "OLDEST"], queues.map(toRow));

const toRow = ({ id, paused, waiting, due, put_off, active, dead, oldest_age_seconds }: WorkQueue) => [
  id,
  `${waiting + due}`,
  `${put_off}`,
  `${active}`,
  `${dead}`,
  paused ? "paused" : oldest_age_seconds === 0 ? "–" : printDuration(oldest_age_seconds),
];
