import { Gauge } from "prom-client";
import type { Registry } from "prom-client";
import type { Failure, Nvidia } from "./doctor/diagnosis.ts";
import type { Backlog } from "./read-backlog.ts";

/** Gauges of what waits in Redis: how much of each queue, and how long. */
export function tellBacklog(registry: Registry, ask: () => Promise<Backlog | undefined>): void {
  const jobs =
    "Jobs of a queue: `waiting`, `due` (put off until now), `put_off` until later, `active` in the hand of a worker, and `dead`, which nobody tries again.";
  const about = { name: "tresline_queue_jobs", help: jobs, labelNames: ["queue", "state"] as const };
  tellAsked(registry, ask, about, (gauge, { queues }) => {
    for (const { queue, jobs: byState } of queues)
      for (const [state, count] of Object.entries(byState)) gauge.set({ queue, state }, count);
  });
  const tell = (name: string, help: string, valueOf: (queue: Backlog["queues"][number]) => number) =>
    tellAsked(registry, ask, { name, help, labelNames: ["queue"] }, (gauge, { queues }) => {
      for (const each of queues) gauge.set({ queue: each.queue }, valueOf(each));
    });
  tell(
    "tresline_queue_oldest_age_seconds",
    "How long the oldest job of a queue has waited that no worker has ever taken; 0 when none waits.",
    ({ oldestAgeS }) => oldestAgeS,
  );
  tell("tresline_queue_paused", "1 for a queue that an operator has paused, 0 for others.", ({ isPaused }) =>
    isPaused ? 1 : 0,
  );
  const pending = {
    name: "tresline_webhook_oldest_pending_age_seconds",
    help: "How long the oldest message that has not ended has been under way; at least so long where more than 300 are.",
    labelNames: [],
  };
  tellAsked(registry, ask, pending, (gauge, { oldestMessageS }) => gauge.set(oldestMessageS));
}

/** Gauges of the memory of the GPUs, in bytes. */
export function tellGpus(registry: Registry, ask: () => Promise<Nvidia | Failure | undefined>): void {
  const tell = (name: string, help: string, bytesOf: (gpu: Nvidia["gpus"][number]) => number) =>
    tellAsked(registry, ask, { name, help, labelNames: ["gpu"] }, (gauge, nvidia) => {
      const gpus = "error" in nvidia ? [] : nvidia.gpus;
      for (const [gpu, each] of gpus.entries()) gauge.set({ gpu }, bytesOf(each));
    });
  tell(
    "tresline_gpu_memory_used_bytes",
    "Memory of a GPU that is taken.",
    (gpu) => gpu.memory - gpu.free_memory,
  );
  tell("tresline_gpu_memory_total_bytes", "Memory of a GPU.", ({ memory }) => memory);
}

/** A gauge of what is asked for at each scrape. While there is no answer it has no value, rather than that of before. */
function tellAsked<Answer, Label extends string>(
  registry: Registry,
  ask: () => Promise<Answer | undefined>,
  about: { name: string; help: string; labelNames: readonly Label[] },
  tell: (gauge: Gauge<Label>, answer: Answer) => void,
): void {
  const gauge = new Gauge<Label>({
    ...about,
    registers: [registry],
    async collect() {
      const answer = await ask();
      // Without labels, a reset one is 0.
      if (about.labelNames.length === 0) gauge.remove();
      else gauge.reset();
      if (answer !== undefined) tell(gauge, answer);
    },
  });
}
