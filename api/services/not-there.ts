import { AppError } from "../../shared/errors.ts";
import { hasExpired } from "../../shared/retention.ts";
import type { ApiDeps } from "../deps.ts";

/** The refusal of what is not there: AppError gone when it may have been there and is no longer kept, else not_found with `sentence`. */
export function notThere(
  { config: { RETENTION_DAYS: days } }: Pick<ApiDeps, "config">,
  id: string,
  sentence: string,
): AppError {
  if (!hasExpired(days, id)) return new AppError("not_found", sentence);
  const kept = days === 1 ? "a day" : `${days} days`;
  return new AppError("gone", `${id} is older than ${kept}, for which things are kept here.`);
}
