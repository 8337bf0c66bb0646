import type { z } from "zod";
import { Batch, BatchResult } from "../../shared/contracts/batch.ts";
import type { CreateBatch } from "../../shared/contracts/batch.ts";
import type { ResultFormat } from "../../shared/result-formats.ts";
import { creatingHeaders, creatingJson } from "./creating.ts";
import type { Creating, CreatingWork } from "./creating.ts";
import { listEach } from "./list-each.ts";
import { poll } from "./poll.ts";
import type { Waiting } from "./poll.ts";
import { readLines } from "./read-lines.ts";
import type { Call, Transport } from "./transport.ts";
import { watchEvents } from "./watch-events.ts";

/** Many images, labelled and reported together. */
export interface Batches {
  /** Has many images labelled: exactly one of `items`, `manifest`, `prefix` and `inventory`, as the contract spells them. */
  create(request: z.input<typeof CreateBatch>, call?: CreatingWork): Promise<Batch>;
  get(id: string, call?: Call): Promise<Batch>;
  /** The newest first, fetched page by page as they are taken. */
  list(call?: Call): AsyncGenerator<Batch, void, undefined>;
  /** The batch once it has ended, however it has. */
  wait(id: string, waiting?: Waiting<Batch>): Promise<Batch>;
  /** The batch as it is now and at each change, until it has ended. */
  watch(id: string, call?: Call): AsyncGenerator<Batch, void, undefined>;
  /** What became of each item, in their order, read while it is taken. */
  results(id: string, call?: Call): AsyncGenerator<BatchResult, void, undefined>;
  /** The bytes of the results in a format: `csv` and `parquet` have to be among the batch's `output_formats`. */
  download(id: string, format: ResultFormat, call?: Call): AsyncGenerator<Uint8Array, void, undefined>;
  /** Labels no more of it. What has been labelled by then is in its results. */
  cancel(id: string, call?: Call): Promise<Batch>;
  /** A new batch of the items that failed or were canceled. */
  retry(id: string, call?: Creating): Promise<Batch>;
  /** Forgets an ended batch and all that is stored of it. */
  delete(id: string, call?: Call): Promise<void>;
}

const hasEnded = ({ completed_at, failed_at, canceled_at, expired_at }: Batch) =>
  (completed_at ?? failed_at ?? canceled_at ?? expired_at) !== null;

const pathOf = (id: string, rest = "") => `/v1/batches/${encodeURIComponent(id)}${rest}`;

/** The calls about batches. */
export function batches(transport: Transport): Batches {
  const look = (id: string, { signal }: Call) => transport.ask(Batch, { path: pathOf(id), signal });
  return {
    async create(request, call = {}) {
      const sending = {
        method: "POST",
        path: "/v1/batches",
        ...creatingJson(request, call, transport),
      } as const;
      return (await transport.ask(Batch, sending)).value;
    },
    get: async (id, call = {}) => (await look(id, call)).value,
    list: (call = {}) => listEach(transport, Batch, "/v1/batches", call),
    wait: (id, waiting = {}) => poll(() => look(id, waiting), hasEnded, waiting),
    watch: (id, call = {}) =>
      watchEvents(transport, { path: pathOf(id, "/events"), reader: Batch, hasEnded }, call),
    async *results(id, { signal } = {}) {
      for await (const line of readLines(transport.stream({ path: pathOf(id, "/results"), signal })))
        yield transport.read(BatchResult, line);
    },
    download: (id, format, { signal } = {}) =>
      transport.stream({ path: pathOf(id, `/results?format=${format}`), signal }),
    cancel: async (id, { signal } = {}) =>
      (await transport.ask(Batch, { method: "POST", path: pathOf(id, "/cancel"), signal })).value,
    async retry(id, call = {}) {
      const { signal } = call;
      const sending = {
        method: "POST",
        path: pathOf(id, "/retry"),
        headers: creatingHeaders(call, transport),
        signal,
      } as const;
      return (await transport.ask(Batch, sending)).value;
    },
    delete: (id, { signal } = {}) => transport.tell({ method: "DELETE", path: pathOf(id), signal }),
  };
}
