import { AppError } from "../../shared/errors.ts";
import { bucketFault } from "../../shared/storage/source-buckets.ts";
import type { ApiDeps } from "../deps.ts";

/** Throws AppError fetch_forbidden for a bucket that may not be read. `pointer` is where the request names it. */
export function checkBucket({ config }: Pick<ApiDeps, "config">, bucket: string, pointer: string): void {
  const fault = bucketFault(config.S3_SOURCE_BUCKETS, bucket);
  if (fault !== undefined)
    throw new AppError("fetch_forbidden", fault, [{ pointer, detail: fault, code: "fetch_forbidden" }]);
}
