import type { WebhookEndpoint } from "../../shared/contracts/webhook.ts";
import type { Client } from "../client/client.ts";
import type { Context } from "./command.ts";
import { printRows } from "./print-rows.ts";

/** Prints a webhook endpoint. Gives the exit code: 1 when it is disabled. */
export async function showEndpoint(client: Client, id: string, { asJson, out }: Context): Promise<number> {
  const endpoint = await client.webhookEndpoints.get(id);
  await out(asJson ? `${JSON.stringify(endpoint)}\n` : printEndpoint(endpoint));
  return endpoint.status === "enabled" ? 0 : 1;
}

const printEndpoint = ({ id, url, description, status, events, disabled_reason }: WebhookEndpoint): string =>
  printRows([
    ["Endpoint", id],
    ["At", url],
    ["For", description || undefined],
    ["Status", status],
    ["Why", disabled_reason ?? undefined],
    ["Events", events?.join(", ") ?? "all"],
    ["Next", `tresline webhooks attempts ${id}`],
  ]);
