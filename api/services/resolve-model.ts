import { AppError } from "../../shared/errors.ts";
import { listModels } from "../../shared/state/models.ts";
import type { ApiDeps } from "../deps.ts";

/** The model to label with: the one asked for, or the default. Throws AppError model_not_found when no worker has ever served the one asked for. */
export async function resolveModel(
  { config, redis }: Pick<ApiDeps, "config" | "redis">,
  asked: string | undefined,
): Promise<string> {
  if (asked === undefined || asked === config.MODEL) return config.MODEL;
  const names = (await listModels(redis)).map(({ name }) => name);
  if (names.includes(asked)) return asked;
  const served = [...new Set([config.MODEL, ...names])].join(", ");
  throw new AppError("model_not_found", `There is no model "${asked}" here. Models served: ${served}.`);
}
