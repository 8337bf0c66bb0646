import * as z from "zod";
import { Worker } from "../../shared/contracts/worker.ts";
import type { Call, Transport } from "./transport.ts";

/** Who labels, delivers and lists. */
export interface Workers {
  /** All that are alive, by their host. Only a key of the tenant `default` sees them. */
  list(call?: Call): Promise<Worker[]>;
}

const WorkerList = z.object({ data: z.array(Worker) });

/** The calls about workers. */
export const workers = (transport: Transport): Workers => ({
  list: async ({ signal } = {}) =>
    (await transport.ask(WorkerList, { path: "/v1/workers", signal })).value.data,
});
