import type { ResumedLabeler } from "../../shared/contracts/labeler.ts";
import { newId } from "../../shared/new-id.ts";
import { activate } from "../../shared/state/labelers.ts";
import type { ApiDeps } from "../deps.ts";
import { findLabeler } from "./get-labeler.ts";
import { movingRuns } from "./moving-runs.ts";
import { startRun } from "./start-run.ts";

/**
 * Resumes a labeler and, when it has missed objects meanwhile, starts a run that finds them: even while another moves,
 * which may have passed the places where they are. Throws AppError not_found.
 */
export async function resumeLabeler(
  deps: Pick<ApiDeps, "redis" | "queues">,
  tenant: string,
  id: string,
  traceparent: string,
): Promise<ResumedLabeler> {
  await findLabeler(deps, tenant, id);
  await activate(deps.redis, id);
  await movingRuns(deps, id);
  for (;;) {
    const state = await findLabeler(deps, tenant, id);
    if (state.unseen === 0) return { ...state.labeler, run: null };
    const run = await startRun(deps, state, {
      id: newId("run"),
      request: { mode: "backfill" },
      unseen: state.unseen,
      traceparent,
    });
    // Another run was started just now, perhaps by somebody who resumed it too: what is unseen has to be read again.
    if (run !== undefined) return { ...state.labeler, run };
  }
}
