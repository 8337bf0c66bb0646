import { Lane } from "../../shared/contracts/lane.ts";
import { AppError } from "../../shared/errors.ts";
import { queueNames } from "../../shared/queue.ts";
import type { ApiDeps } from "../deps.ts";
import { knownModels } from "./resolve-model.ts";

/** A queue and the model whose images it carries; null where it is of no model. */
export interface KnownQueue {
  name: string;
  model: string | null;
}

/** All queues that jobs may have been put into: those of each model, the default one first, then `scan` and `deliver`. */
export async function knownQueues(deps: Pick<ApiDeps, "config" | "redis">): Promise<KnownQueue[]> {
  const ofModels = (await knownModels(deps)).flatMap((model) =>
    [...Lane.options.map((lane) => queueNames.classify(model, lane)), queueNames.objects(model)].map(
      (name) => ({
        name,
        model,
      }),
    ),
  );
  return [...ofModels, ...[queueNames.scan, queueNames.deliver].map((name) => ({ name, model: null }))];
}

/** The queue of this name. Throws AppError not_found. */
export async function findQueue(deps: Pick<ApiDeps, "config" | "redis">, name: string): Promise<KnownQueue> {
  const queues = await knownQueues(deps);
  const found = queues.find((each) => each.name === name);
  if (found !== undefined) return found;
  const names = queues.map((each) => each.name).join(", ");
  throw new AppError("not_found", `There is no queue ${name} here. Queues: ${names}.`);
}
