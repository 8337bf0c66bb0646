import type { BatchResult } from "../../shared/contracts/batch.ts";
import { toItemError } from "../../shared/errors.ts";
import { inputOf } from "../../shared/item-input.ts";
import { batchItemId } from "../../shared/new-id.ts";
import type { BatchState } from "../../shared/state/batches.ts";
import type { Storage } from "../../shared/storage/storage.ts";
import { stopReason } from "../classify/stop-reason.ts";
import { listItems } from "./list-items.ts";

/**
 * The lines of the items that came with a batch's request and were never listed, since it was stopped before: they ended
 * as canceled like those that were, and no chunk has written that. None of any other batch.
 */
export async function* unlistedLines(
  storage: Storage,
  { record: { id, source }, stop, rest, listed }: Pick<BatchState, "record" | "stop" | "rest" | "listed">,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (stop === null || rest !== null || source.type !== "items") return;
  const error = toItemError(stopReason(stop));
  const encoder = new TextEncoder();
  let index = listed;
  for await (const { items } of listItems(storage, id, { items: listed })) {
    const lines = items.map((item) => {
      const line: BatchResult = {
        custom_id: item.custom_id,
        id: batchItemId(id, index++),
        status: "canceled",
        ...("image" in item && { input: inputOf(item.image) }),
        predictions: null,
        error,
        model_digest: null,
        metrics: {},
      };
      return `${JSON.stringify(line)}\n`;
    });
    yield encoder.encode(lines.join(""));
  }
}
