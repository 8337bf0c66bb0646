import type { WebhookEndpointWithSecret } from "../../shared/contracts/webhook.ts";
import type { Context } from "./command.ts";

/** Prints the new secret of an endpoint alone, or the public key where nobody is shown the private one. */
export async function showSecret(
  made: WebhookEndpointWithSecret,
  { asJson, out, err }: Context,
): Promise<void> {
  if (asJson) return out(`${JSON.stringify(made)}\n`);
  const { id, url, secret, public_key } = made;
  const what = secret === null ? "Its public key:" : "The secret is not shown again:";
  err.write(`tresline: ${id} at ${url}. ${what}\n`);
  return out(`${secret ?? public_key}\n`);
}
