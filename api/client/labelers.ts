import type { z } from "zod";
import { Labeler, ResumedLabeler } from "../../shared/contracts/labeler.ts";
import type { CreateLabeler } from "../../shared/contracts/labeler.ts";
import { creatingJson } from "./creating.ts";
import type { Creating } from "./creating.ts";
import { listAll } from "./list-all.ts";
import { runs } from "./runs.ts";
import type { Runs } from "./runs.ts";
import type { Call, Transport } from "./transport.ts";

/** Standing rules that label the objects of a bucket: those that arrive, by events, and those that are there, by runs. */
export interface Labelers {
  /** A labeler, which is active at once. */
  create(request: z.input<typeof CreateLabeler>, call?: Creating): Promise<Labeler>;
  /** All of them, the newest first. */
  list(call?: Call): Promise<Labeler[]>;
  get(id: string, call?: Call): Promise<Labeler>;
  /** Labels nothing more until it is resumed: its runs stand still, and what events tell of is missed. */
  pause(id: string, call?: Call): Promise<Labeler>;
  /** Goes on; `run` is the run that finds what was missed, or null. */
  resume(id: string, call?: Call): Promise<ResumedLabeler>;
  /** Deletes it and cancels its runs. What it has labelled stays. */
  delete(id: string, call?: Call): Promise<void>;
  runs: Runs;
}

const pathOf = (id: string, verb = "") => `/v1/labelers/${encodeURIComponent(id)}${verb}`;

/** The calls about labelers. */
export function labelers(transport: Transport): Labelers {
  return {
    async create(request, call = {}) {
      const sending = {
        method: "POST",
        path: "/v1/labelers",
        ...creatingJson(request, call, transport),
      } as const;
      return (await transport.ask(Labeler, sending)).value;
    },
    list: (call = {}) => listAll(transport, Labeler, "/v1/labelers", call),
    get: async (id, { signal } = {}) => (await transport.ask(Labeler, { path: pathOf(id), signal })).value,
    pause: async (id, { signal } = {}) =>
      (await transport.ask(Labeler, { method: "POST", path: pathOf(id, "/pause"), signal })).value,
    resume: async (id, { signal } = {}) =>
      (await transport.ask(ResumedLabeler, { method: "POST", path: pathOf(id, "/resume"), signal })).value,
    delete: (id, { signal } = {}) => transport.tell({ method: "DELETE", path: pathOf(id), signal }),
    runs: runs(transport),
  };
}
