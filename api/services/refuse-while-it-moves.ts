import type { Batch } from "../../shared/contracts/batch.ts";
import { AppError } from "../../shared/errors.ts";

const FINAL: readonly string[] = ["completed", "failed", "canceled", "expired"] satisfies Batch["status"][];

/** Whether a batch has come to its end, however that is. */
export const hasEnded = ({ status }: Pick<Batch, "status">): boolean => FINAL.includes(status);

/** Throws AppError conflict unless the batch has ended. `wish` is what was asked for: it cannot be … while it moves. */
export function refuseWhileItMoves(batch: Batch, wish: string): void {
  if (!hasEnded(batch))
    throw new AppError(
      "conflict",
      `The batch is ${batch.status}: it can be ${wish} once it has ended. Cancel it to end it now.`,
    );
}
