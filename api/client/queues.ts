import * as z from "zod";
import { DeadLetter, DeadLettersDone, QueueJob, WorkQueue } from "../../shared/contracts/queue.ts";
import type { DeadLetterSelection } from "../../shared/contracts/queue.ts";
import { listEach } from "./list-each.ts";
import { sendingJson } from "./sending-json.ts";
import type { Call, Transport } from "./transport.ts";

/** The queues of jobs, for whoever runs the service: a key of the tenant `default` with the scope `admin`. */
export interface Queues {
  /** All of them and what they hold. */
  list(call?: Call): Promise<WorkQueue[]>;
  get(id: string, call?: Call): Promise<WorkQueue>;
  /** Lets nobody take its jobs until it is resumed; what is in hand is finished. */
  pause(id: string, call?: Call): Promise<WorkQueue>;
  resume(id: string, call?: Call): Promise<WorkQueue>;
  /** Its dead letters, the newest first, fetched as they are taken. */
  deadLetters(id: string, call?: Call): AsyncGenerator<DeadLetter, void, undefined>;
  /** All that is known of one of its jobs. */
  job(id: string, jobId: string, call?: Call): Promise<QueueJob>;
  /** Tries dead letters again, a thousand of them at most: `left` says how many more there are. */
  redrive(id: string, selection: DeadLetterSelection, call?: Call): Promise<DeadLettersDone>;
  /** Removes dead letters for good, a thousand of them at most. */
  discard(id: string, selection: DeadLetterSelection, call?: Call): Promise<DeadLettersDone>;
}

const PATH = "/v1/admin/queues";
const QueueList = z.object({ data: z.array(WorkQueue) });
const pathOf = (id: string, rest = "") => `${PATH}/${encodeURIComponent(id)}${rest}`;

/** The calls about queues. */
export function queues(transport: Transport): Queues {
  const tell = async (id: string, verb: "pause" | "resume", { signal }: Call) =>
    (await transport.ask(WorkQueue, { method: "POST", path: pathOf(id, `/${verb}`), signal })).value;
  const end = async (id: string, verb: "redrive" | "discard", selection: DeadLetterSelection, call: Call) => {
    const sending = {
      method: "POST",
      path: pathOf(id, `/${verb}`),
      ...sendingJson(selection, call),
    } as const;
    return (await transport.ask(DeadLettersDone, sending)).value;
  };
  return {
    list: async ({ signal } = {}) => (await transport.ask(QueueList, { path: PATH, signal })).value.data,
    get: async (id, { signal } = {}) => (await transport.ask(WorkQueue, { path: pathOf(id), signal })).value,
    pause: (id, call = {}) => tell(id, "pause", call),
    resume: (id, call = {}) => tell(id, "resume", call),
    deadLetters: (id, call = {}) => listEach(transport, DeadLetter, pathOf(id, "/dead-letters"), call),
    job: async (id, jobId, { signal } = {}) =>
      (await transport.ask(QueueJob, { path: pathOf(id, `/jobs/${encodeURIComponent(jobId)}`), signal }))
        .value,
    redrive: (id, selection, call = {}) => end(id, "redrive", selection, call),
    discard: (id, selection, call = {}) => end(id, "discard", selection, call),
  };
}
