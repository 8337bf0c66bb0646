import type { Batch } from "../../shared/contracts/batch.ts";
import type { EventType } from "../../shared/contracts/event.ts";
import type { Run, RunReport } from "../../shared/contracts/labeler.ts";
import type { BatchState, FinalStatus } from "../../shared/state/batches.ts";
import { toRun } from "../../shared/state/runs.ts";

/** The end of a batch or of a labeler's run: the resource that its manifest keeps and its message tells, and what the message is called. */
export interface Ending {
  type: EventType;
  resource: Batch | Run;
}

/** How the batch or the run of a state ends. `batch` is the batch as it ends; `report` is that of a completed `relabel`. */
export function endingOf(
  state: BatchState,
  batch: Batch & { status: FinalStatus },
  report: RunReport | null,
): Ending {
  const { status } = batch;
  if (state.record.labeler === undefined) return { type: `batch.${status}`, resource: batch };
  if (status === "expired") throw new Error(`${batch.id} has no deadline and has expired. This is a bug.`);
  return {
    type: `labeler.run.${status}`,
    resource: toRun({ ...state, batch }, { paused: false, report }),
  };
}
