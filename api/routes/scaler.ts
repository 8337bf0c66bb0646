import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { ModelName } from "../../shared/contracts/ids.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { rejectInvalid } from "../middleware/problem-json.ts";
import { requireOperator } from "../middleware/require-operator.ts";
import { getScaler } from "../services/get-scaler.ts";
import type { ScaledModel } from "../services/get-scaler.ts";
import { USUAL_GOAL } from "../wanted-pods.ts";
import { BEARER, json, problems } from "./responses.ts";

const count = (description: string) => z.int().min(0).meta({ description });

const QueueState = z
  .object({
    paused: z
      .boolean()
      .meta({ description: "Whether an operator has paused it: then only `active` counts." }),
    waiting: count("Jobs that no worker has yet: images, or chunks of up to 64 of them."),
    due: count("Jobs that were put off and may be taken again."),
    active: count("Jobs in the hand of a worker."),
    images: count("The images in all of these; a chunk counts as 64."),
    oldest_age_seconds: z
      .number()
      .min(0)
      .meta({ description: "How long the oldest that waits has waited without ever being taken." }),
  })
  .meta({ id: "QueueState" });

const Scaler = z
  .object({
    object: z.literal("scaler"),
    target_seconds: z.number(),
    images_per_second_per_pod: z.number(),
    models: z.array(
      z.object({
        model: ModelName,
        wanted: count("The worker pods that it needs; 0 when there is nothing to label."),
        workers: count("The workers that take its jobs; 0 or 1 where Redis does not tell who is connected."),
        queues: z.object({ interactive: QueueState, bulk: QueueState, objects: QueueState }),
      }),
    ),
  })
  .meta({ id: "Scaler", description: "How much there is to label, and the pods that takes." });

const positive = (description: string) =>
  z.coerce.number().positive().max(1_000_000).meta({ type: "number", description });

const get = createRoute({
  method: "get",
  path: "/v1/scaler",
  middleware: requireOperator,
  operationId: "getScaler",
  summary: "Get how many worker pods each model needs",
  description:
    "For an autoscaler, such as KEDA's metrics-api trigger. `wanted` is the images that wait and are in hand, over what a pod labels in the time that is left until the oldest is as old as nine tenths of the target (a quarter of it at least), summed over the model's queues and rounded up. While batches fill the bulk lane, which shows no more of them than it has room for, it is at least twice the workers. Of a paused queue only what is in hand counts. The figures are of all tenants, so only keys of the tenant `default` see them.",
  tags: ["Operations"],
  security: BEARER,
  request: {
    query: z.strictObject({
      target_seconds: positive("How old the oldest image that waits may become.").default(USUAL_GOAL.targetS),
      images_per_second_per_pod: positive("What one pod labels, as `tresline bench` measures it.").default(
        USUAL_GOAL.imagesPerSecond,
      ),
      model: ModelName.optional().meta({
        description: "Only this model, also when no worker has served it.",
      }),
    }),
  },
  responses: {
    200: { description: "Of each model: the default one first.", ...json(Scaler) },
    ...problems(),
  },
});

/** The route that autoscalers ask. */
export function scalerRoutes(deps: Pick<ApiDeps, "config" | "redis" | "queues">): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>({ defaultHook: rejectInvalid });
  routes.openapi(get, async (c) => {
    const { target_seconds, images_per_second_per_pod, model } = c.req.valid("query");
    const goal = { targetS: target_seconds, imagesPerSecond: images_per_second_per_pod };
    const models = await getScaler(deps, goal, model);
    return c.json(
      {
        object: "scaler" as const,
        target_seconds,
        images_per_second_per_pod,
        models: models.map(toAnswer),
      },
      200,
    );
  });
  return routes;
}

function toAnswer({ queues, ...model }: ScaledModel) {
  const { interactive, bulk, objects } = queues;
  return {
    ...model,
    queues: {
      interactive: toQueueState(interactive),
      bulk: toQueueState(bulk),
      objects: toQueueState(objects),
    },
  };
}

const toQueueState = ({
  paused,
  waiting,
  due,
  active,
  images,
  oldestAgeS,
}: ScaledModel["queues"]["bulk"]): z.output<typeof QueueState> => ({
  paused,
  waiting,
  due,
  active,
  images,
  oldest_age_seconds: oldestAgeS,
});
