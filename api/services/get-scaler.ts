import { queueNames } from "../../shared/queue.ts";
import type { ApiDeps } from "../deps.ts";
import { imagesIn, wantedPods } from "../wanted-pods.ts";
import type { PodGoal, QueueLoad } from "../wanted-pods.ts";
import { knownModels } from "./resolve-model.ts";

/** What a scaler wants to know of one model. */
export interface ScaledModel {
  model: string;
  /** The pods that it needs. */
  wanted: number;
  /** The workers that are there. */
  workers: number;
  queues: Record<"interactive" | "bulk" | "objects", QueueLoad & { images: number }>;
}

const EMPTY = { paused: false, waiting: 0, due: 0, active: 0, imagesPerJob: 0, oldestAgeS: 0, images: 0 };

/** How much there is to label and how many pods that takes, for one model or for all that images may have been accepted for. */
export async function getScaler(
  deps: Pick<ApiDeps, "config" | "redis" | "queues">,
  goal: PodGoal,
  asked: string | undefined,
): Promise<ScaledModel[]> {
  const known = await knownModels(deps);
  const models = asked === undefined ? known : [asked];
  return Promise.all(
    models.map(async (model) => (known.includes(model) ? look(deps, goal, model) : nothing(model))),
  );
}

/** No image is accepted for a model that nobody knows, so its queues are not even opened. */
const nothing = (model: string): ScaledModel => ({
  model,
  wanted: 0,
  workers: 0,
  queues: { interactive: EMPTY, bulk: EMPTY, objects: EMPTY },
});

async function look({ queues }: Pick<ApiDeps, "queues">, goal: PodGoal, model: string): Promise<ScaledModel> {
  const lookInto = async (name: string, oldest: Promise<Date | undefined>) => {
    const [depth, since] = await Promise.all([queues.depth(name), oldest]);
    const oldestAgeS = since === undefined ? 0 : Math.max(0, (Date.now() - since.getTime()) / 1_000);
    return { ...depth, oldestAgeS, images: imagesIn(depth) };
  };
  const [interactive, bulk, objects, workers] = await Promise.all([
    lookInto(queueNames.classify(model, "interactive"), queues.oldestWaiting(model, "interactive")),
    lookInto(queueNames.classify(model, "bulk"), queues.oldestWaiting(model, "bulk")),
    lookInto(queueNames.objects(model), queues.oldestWaitingObject(model)),
    queues.countWorkers(model),
  ]);
  const wanted = wantedPods({ queues: [interactive, bulk, objects], workers }, goal);
  return { model, wanted, workers, queues: { interactive, bulk, objects } };
}
