import type { Lane } from "../shared/contracts/lane.ts";
import type { Queues } from "../shared/queue.ts";

/** Milliseconds for which an answer does. */
const FRESH_MS = 1_000;

/** How far workers have fallen behind; Redis is asked once a second for each lane in use, however many ask here. */
export function openBacklog(queues: Pick<Queues, "oldestWaiting">) {
  const known = new Map<string, { until: number; since: Promise<Date | undefined> }>();
  return {
    /** Milliseconds that the oldest job of a model has waited in a lane without being taken by a worker; 0 when none waits. */
    async ageMs(model: string, lane: Lane): Promise<number> {
      const name = `${lane} ${model}`;
      const now = Date.now();
      let entry = known.get(name);
      if (entry === undefined || entry.until < now) {
        entry = { until: now + FRESH_MS, since: queues.oldestWaiting(model, lane) };
        known.set(name, entry);
      }
      const since = await entry.since;
      return since === undefined ? 0 : Date.now() - since.getTime();
    },
  };
}

/** How far workers have fallen behind. */
export type Backlog = ReturnType<typeof openBacklog>;
