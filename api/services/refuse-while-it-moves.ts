import type { Batch } from "../../shared/contracts/batch.ts";
import { AppError } from "../../shared/errors.ts";

const FINAL: readonly string[] = ["completed", "failed", "canceled", "expired"] satisfies Batch["status"][];

/** Throws AppError conflict unless the batch has ended. `wish` is what was asked for: it cannot be … while it moves. */
export function refuseWhileItMoves({ status }: Batch, wish: string): void {
  if (!FINAL.includes(status))
    throw new AppError(
      "conflict",
      `The batch is ${status}: it can be ${wish} once it has ended. Cancel it to end it now.`,
    );
}
