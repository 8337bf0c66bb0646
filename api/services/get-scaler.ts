import { queueNames } from "../../shared/queue.ts";
import type { ApiDeps } from "../deps.ts";
import { imagesIn, wantedPods } from "../wanted-pods.ts";
import type { PodGoal, QueueLoad } from "../wanted-pods.ts";
import { knownModels } from "./resolve-model.ts";

/** What a scaler wants to know of one model. */
export interface ModelLoad {
  model: string;
  /** The pods that it needs. */
  wanted: number;
  /** The workers that are there. */
  workers: number;
  queues: Record<"interactive" | "bulk" | "objects", QueueLoad & { images: number }>;
}

/** How much there is to label and how many pods that takes, for one model or for all that images may have been accepted for. */
export async function getScaler(
  deps: Pick<ApiDeps, "config" | "redis" | "queues">,
  goal: PodGoal,
  model: string | undefined,
): Promise<ModelLoad[]> {
  const models = model === undefined ? await knownModels(deps) : [model];
  return Promise.all(models.map((each) => loadOf(deps, goal, each)));
}

async function loadOf({ queues }: Pick<ApiDeps, "queues">, goal: PodGoal, model: string): Promise<ModelLoad> {
  const look = async (name: string, oldest: Promise<Date | undefined>) => {
    const [depth, since] = await Promise.all([queues.depth(name), oldest]);
    const oldestAgeS = since === undefined ? 0 : Math.max(0, (Date.now() - since.getTime()) / 1_000);
    return { ...depth, oldestAgeS, images: imagesIn(depth) };
  };
  const [interactive, bulk, objects] = await Promise.all([
    look(queueNames.classify(model, "interactive"), queues.oldestWaiting(model, "interactive")),
    look(queueNames.classify(model, "bulk"), queues.oldestWaiting(model, "bulk")),
    look(queueNames.objects(model), queues.oldestWaitingObject(model)),
  ]);
  const each = [interactive, bulk, objects];
  return {
    model,
    wanted: wantedPods(each, goal),
    workers: Math.max(...each.map(({ workers }) => workers)),
    queues: { interactive, bulk, objects },
  };
}
