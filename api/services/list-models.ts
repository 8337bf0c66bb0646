import type { Model, ModelWithLabels, ServedModel } from "../../shared/contracts/model.ts";
import { AppError } from "../../shared/errors.ts";
import { findModel, isServed, labelsOfModel, listModels } from "../../shared/state/models.ts";
import type { ApiDeps } from "../deps.ts";
import { defaultModel } from "./resolve-model.ts";

type Deps = Pick<ApiDeps, "config" | "redis">;

/** All models that workers have announced, by name. */
export async function listShownModels({ config, redis }: Deps): Promise<Model[]> {
  return (await listModels(redis)).map((model) => show(model, config));
}

/** The model of this name, with its labels. Throws AppError model_not_found. */
export async function getModel({ config, redis }: Deps, name: string): Promise<ModelWithLabels> {
  const model = await findModel(redis, name);
  if (model === undefined)
    throw new AppError("model_not_found", `No worker has served a model "${name}" here yet.`);
  return { ...show(model, config), labels: await labelsOfModel(redis, name) };
}

function show(model: ServedModel, config: Deps["config"]): Model {
  const { name, served_at, ...described } = model;
  return {
    id: name,
    object: "model",
    ...described,
    is_default: name === defaultModel(config),
    is_served: isServed(model),
    last_seen_at: served_at,
  };
}
