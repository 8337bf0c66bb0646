import { AppError } from "../../shared/errors.ts";
import { listModels } from "../../shared/state/models.ts";
import type { ApiDeps } from "../deps.ts";

/** The model to label with: the one asked for, or the default. Throws AppError model_not_found when no worker has ever served the one asked for. */
export async function resolveModel(
  { config, redis }: Pick<ApiDeps, "config" | "redis">,
  asked: string | undefined,
): Promise<string> {
  const byDefault = defaultModel(config);
  if (asked === undefined || asked === byDefault) return byDefault;
  const names = await knownModels({ config, redis });
  if (names.includes(asked)) return asked;
  throw new AppError(
    "model_not_found",
    `There is no model "${asked}" here. Models served: ${names.join(", ")}.`,
  );
}

/** The names of all models that images may have been accepted for, the default one first. */
export async function knownModels({ config, redis }: Pick<ApiDeps, "config" | "redis">): Promise<string[]> {
  const announced = await listModels(redis);
  return [...new Set([defaultModel(config), ...announced.map(({ name }) => name)])];
}

/** The name of the model that labels what names none: a version that workers are pinned to is no part of it. */
export const defaultModel = ({ MODEL }: ApiDeps["config"]) => MODEL.replace(/@.*/, "");
