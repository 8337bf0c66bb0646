import * as z from "zod";
import { Model, ModelWithLabels } from "../../shared/contracts/model.ts";
import type { Call, Transport } from "./transport.ts";

/** What images can be labelled with. */
export interface Models {
  /** All that a worker has served, by name. */
  list(call?: Call): Promise<Model[]>;
  /** One by its name, with the names of its classes. */
  get(id: string, call?: Call): Promise<ModelWithLabels>;
}

const PATH = "/v1/models";
const ModelList = z.object({ data: z.array(Model) });

/** The calls about models. */
export const models = (transport: Transport): Models => ({
  list: async ({ signal } = {}) => (await transport.ask(ModelList, { path: PATH, signal })).value.data,
  get: async (id, { signal } = {}) =>
    (await transport.ask(ModelWithLabels, { path: `${PATH}/${encodeURIComponent(id)}`, signal })).value,
});
