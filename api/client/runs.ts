import type { z } from "zod";
import { BatchResult } from "../../shared/contracts/batch.ts";
import { Run } from "../../shared/contracts/labeler.ts";
import type { CreateRun } from "../../shared/contracts/labeler.ts";
import { creatingJson } from "./creating.ts";
import type { Creating } from "./creating.ts";
import { listAll } from "./list-all.ts";
import { poll } from "./poll.ts";
import type { Waiting } from "./poll.ts";
import { readLines } from "./read-lines.ts";
import type { Call, Transport } from "./transport.ts";

/** The runs of labelers: each labels what is in the bucket by then. */
export interface Runs {
  /** Starts one: a `backfill` unless the request says else. A labeler has one at a time. */
  create(labelerId: string, request?: z.input<typeof CreateRun>, call?: Creating): Promise<Run>;
  /** All that are known, a thousand at most, the latest started first. */
  list(labelerId: string, call?: Call): Promise<Run[]>;
  get(labelerId: string, id: string, call?: Call): Promise<Run>;
  /** The run of this id, of whichever labeler: its `labeler_id` says which. */
  find(id: string, call?: Call): Promise<Run>;
  /** The run once it has ended, however it has. */
  wait(labelerId: string, id: string, waiting?: Waiting<Run>): Promise<Run>;
  /** Labels no more of it. What has been labelled by then is in its results. */
  cancel(labelerId: string, id: string, call?: Call): Promise<Run>;
  /** What became of each object, read while it is taken. */
  results(labelerId: string, id: string, call?: Call): AsyncGenerator<BatchResult, void, undefined>;
}

const pathOf = (labelerId: string, rest = "") => `/v1/labelers/${encodeURIComponent(labelerId)}/runs${rest}`;
const runPath = (labelerId: string, id: string, verb = "") =>
  pathOf(labelerId, `/${encodeURIComponent(id)}${verb}`);

const hasEnded = ({ completed_at, failed_at, canceled_at }: Run) =>
  (completed_at ?? failed_at ?? canceled_at) !== null;

/** The calls about runs. */
export function runs(transport: Transport): Runs {
  const look = (labelerId: string, id: string, { signal }: Call) =>
    transport.ask(Run, { path: runPath(labelerId, id), signal });
  return {
    async create(labelerId, request = {}, call = {}) {
      const sending = {
        method: "POST",
        path: pathOf(labelerId),
        ...creatingJson(request, call, transport),
      } as const;
      return (await transport.ask(Run, sending)).value;
    },
    list: (labelerId, call = {}) => listAll(transport, Run, pathOf(labelerId), call),
    get: async (labelerId, id, call = {}) => (await look(labelerId, id, call)).value,
    find: async (id, { signal } = {}) =>
      (await transport.ask(Run, { path: `/v1/runs/${encodeURIComponent(id)}`, signal })).value,
    wait: (labelerId, id, waiting = {}) => poll(() => look(labelerId, id, waiting), hasEnded, waiting),
    cancel: async (labelerId, id, { signal } = {}) =>
      (await transport.ask(Run, { method: "POST", path: runPath(labelerId, id, "/cancel"), signal })).value,
    async *results(labelerId, id, { signal } = {}) {
      const pieces = transport.stream({ path: runPath(labelerId, id, "/results"), signal });
      for await (const line of readLines(pieces)) yield transport.read(BatchResult, line);
    },
  };
}
