import type { AnnouncedWorker } from "../../shared/contracts/worker.ts";
import { newId } from "../../shared/new-id.ts";

/** What a worker tells of itself that has labelled birds on a GPU for an hour. */
export function announcedWorker(more: Partial<AnnouncedWorker> = {}): AnnouncedWorker {
  return {
    id: newId("wrk"),
    host: "gpu-7",
    pid: 4711,
    version: "0.1.0",
    roles: ["classify"],
    draining: false,
    labelling: {
      model: "birds",
      model_digest: `sha256:${"0".repeat(64)}`,
      device: "cuda",
      engine_instances: 2,
      images_in_hand: 96,
      images_labelled: 3_600_000,
      images_per_second: 1000.25,
      mean_micro_batch: 31.5,
    },
    started_at: new Date(Date.now() - 3_600_000).toISOString(),
    seen_at: new Date().toISOString(),
    ...more,
  };
}
