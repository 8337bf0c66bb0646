import type { Context } from "hono";
import { html } from "hono/html";
import type { WebhookEndpointWithSecret } from "../../../shared/contracts/webhook.ts";
import type { ConsoleEnv } from "../env.ts";
import { page } from "../page.ts";

/** Shows what messages of an endpoint are verified with, just after that was made: its secret this once, or its public key. */
export function secretPage(
  c: Context<ConsoleEnv>,
  { id, url, secret, public_key }: WebhookEndpointWithSecret,
  title: string,
): Promise<Response> {
  return page(c, {
    title,
    main: html`<div class="card stack">
      <p class="lead">${url}</p>
      ${
        secret === null
          ? html`<p>Messages are verified with this public key; the private one is shown to nobody.</p>`
          : html`<p class="notice warn">
              Copy the secret now: it is not shown again. Messages are verified with it.
            </p>`
      }
      <code class="secret" role="group" aria-label="${secret === null ? "Public key" : "Secret"}"
        >${secret ?? public_key}</code
      >
      <div class="actions"><a class="button primary" href="/console/webhooks/${id}">To the endpoint</a></div>
    </div>`,
  });
}
