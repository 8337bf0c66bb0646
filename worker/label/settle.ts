import type { ItemError } from "../../shared/contracts/error.ts";
import { ObjectChangedError, ObjectGoneError } from "../../shared/storage/source-buckets.ts";
import { failureOf } from "../classify/outcome.ts";
import type { ImageTry } from "../classify/outcome.ts";

/** How work on one version of an object ended: done, failed for good, or there is no such version any more. */
export type Settled<Result> =
  | { status: "done"; result: Result }
  | { status: "failed"; error: ItemError }
  | { status: "changed" | "gone" };

/** Does work on one version of an object. Throws what is to be tried again. */
export async function settle<Result>(
  work: () => Promise<Result>,
  imageTry: ImageTry,
): Promise<Settled<Result>> {
  try {
    return { status: "done", result: await work() };
  } catch (error) {
    if (error instanceof ObjectChangedError) return { status: "changed" };
    if (error instanceof ObjectGoneError) return { status: "gone" };
    return { status: "failed", error: failureOf(error, imageTry) };
  }
}
