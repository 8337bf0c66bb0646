import type { WebhookMessage } from "../../shared/contracts/webhook.ts";
import type { Client } from "../client/client.ts";
import type { Context } from "./command.ts";
import { printRows } from "./print-rows.ts";
import { watch } from "./watch.ts";

/** Prints a webhook message, with `isAwaited` once it has ended. Gives the exit code: 1 when it is not delivered and will not be. */
export async function showMessage(
  { webhookMessages }: Client,
  id: string,
  isAwaited: boolean,
  { err, asJson, out }: Context,
): Promise<number> {
  const message = !isAwaited
    ? await webhookMessages.get(id)
    : await watch(err, id, (_, signal) => webhookMessages.wait(id, { signal }));
  await out(asJson ? `${JSON.stringify(message)}\n` : printMessage(message));
  return message.status === "delivered" || message.status === "pending" ? 0 : 1;
}

const printMessage = ({ id, type, status, endpoint_id, url, attempts, reason }: WebhookMessage): string =>
  printRows([
    ["Message", id],
    ["Event", type],
    ["To", endpoint_id ?? url ?? undefined],
    ["Status", status.replaceAll("_", " ")],
    ["Attempts", `${attempts}`],
    ["Why", reason ?? undefined],
  ]);
