import { AppError } from "../../shared/errors.ts";
import { listModels } from "../../shared/state/models.ts";
import type { ApiDeps } from "../deps.ts";

/** The model to label with: the one asked for, or the default. Throws AppError model_not_found when no worker has ever served the one asked for. */
export async function resolveModel(
  { config, redis }: Pick<ApiDeps, "config" | "redis">,
  asked: string | undefined,
): Promise<string> {
  // A version that the worker is pinned to is no part of the model's name.
  const byDefault = config.MODEL.replace(/@.*/, "");
  if (asked === undefined || asked === byDefault) return byDefault;
  const names = (await listModels(redis)).map(({ name }) => name);
  if (names.includes(asked)) return asked;
  const served = [...new Set([byDefault, ...names])].join(", ");
  throw new AppError("model_not_found", `There is no model "${asked}" here. Models served: ${served}.`);
}
