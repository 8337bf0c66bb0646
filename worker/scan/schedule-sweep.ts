import type { Queues } from "../../shared/queue.ts";

const DAY_MS = 86_400_000;

/** Sets the sweep of a day (UTC), tomorrow's for its beginning. Set by several workers, or again after a crash, it is one job. */
export async function scheduleSweep(queues: Queues, when: "today" | "tomorrow"): Promise<void> {
  const now = Date.now();
  const delayMs = when === "today" ? 0 : DAY_MS - (now % DAY_MS);
  await queues.enqueueSweep(new Date(now + delayMs).toISOString().slice(0, 10), delayMs);
}
