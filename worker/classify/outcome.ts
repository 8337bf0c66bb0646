import type { ErrorCode, ItemError } from "../../shared/contracts/error.ts";
import { PermanentError, TransientError, toItemError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/logger.ts";
import type { Labelled } from "./classify-image.ts";

/** How one image ended: with labels, or with the reason there are none; aborted when its deadline passed before it ran, canceled when it was by then. */
export type Outcome =
  | ({ status: "succeeded" } & Labelled)
  | { status: "failed" | "aborted" | "canceled"; error: ItemError };

/** One of the tries of an image: after the last one nothing is tried again. */
export interface ImageTry {
  lastTry: boolean;
  id: string;
  logger: Logger;
}

/** Tries to label an image; what it throws is judged by `failureOf`. */
export async function tryImage(classify: () => Promise<Labelled>, imageTry: ImageTry): Promise<Outcome> {
  try {
    return { status: "succeeded", ...(await classify()) };
  } catch (error) {
    const itemError = failureOf(error, imageTry);
    return { status: STATUSES[itemError.code] ?? "failed", error: itemError };
  }
}

const STATUSES: Partial<Record<ErrorCode, "aborted" | "canceled">> = {
  deadline_exceeded: "aborted",
  canceled: "canceled",
};

/**
 * The failure that an error means for an image. On the last try every error is one; before, what may pass is thrown so that
 * it is tried again. An error of no known kind is logged, since its inside is not shown to the client.
 */
export function failureOf(error: unknown, { lastTry, id, logger }: ImageTry): ItemError {
  const known = error instanceof PermanentError || error instanceof TransientError;
  if (!known) logger.error({ id, err: error }, "an image met an unexpected error");
  if (!(error instanceof PermanentError) && !lastTry) throw error;
  return toItemError(error);
}
