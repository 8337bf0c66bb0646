import { Hono } from "hono";
import { html } from "hono/html";
import { MessageId } from "../../../shared/contracts/ids.ts";
import type { WebhookAttempt, WebhookMessage } from "../../../shared/contracts/webhook.ts";
import type { ApiDeps } from "../../deps.ts";
import { getWebhookMessage } from "../../services/get-webhook-message.ts";
import { listWebhookAttempts } from "../../services/list-webhook-attempts.ts";
import { resendMessage } from "../../services/resend-message.ts";
import type { ConsoleEnv } from "../env.ts";
import type { AnswerLive } from "../live.ts";
import { page } from "../page.ts";
import type { Html } from "../page.ts";
import { attemptTable } from "../parts/attempt-table.ts";
import { facts } from "../parts/facts.ts";
import { postButton } from "../parts/post-button.ts";
import { readPathId } from "../parts/read-path-id.ts";
import { statusBadge } from "../parts/status.ts";
import { timeAgo } from "../parts/time.ts";

/** How many of the endpoint's attempts are looked through for those of one message: all that are kept. */
const LOOKED_THROUGH = 500;

/** The page of one message: what it tells, how it was answered, and a button that sends it again. */
export function webhookMessagePages(deps: ApiDeps, live: AnswerLive): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();

  const attemptsOf = async (
    tenant: string,
    { id, endpoint_id }: WebhookMessage,
  ): Promise<WebhookAttempt[]> => {
    if (endpoint_id === null) return [];
    const place = { limit: LOOKED_THROUGH, before: undefined };
    const { data } = await listWebhookAttempts(deps, tenant, endpoint_id, place);
    return data.filter(({ message_id }) => message_id === id);
  };

  const look = async (tenant: string, id: string) => {
    const message = await getWebhookMessage(deps, tenant, id);
    const element = detail(message, await attemptsOf(tenant, message));
    return { id, element, moves: message.status === "pending", message };
  };

  pages.get("/console/webhooks/messages/live", (c) => live(c, (id) => look(c.get("tenant"), id)));

  pages.get("/console/webhooks/messages/:id", async (c) => {
    const { message, element } = await look(c.get("tenant"), readPathId(c, MessageId));
    return page(c, {
      title: message.type,
      actions: postButton(`/console/webhooks/messages/${message.id}/resend`, "Resend", "primary"),
      main: html`<p class="under"><code>${message.id}</code></p>
        <div data-live="/console/webhooks/messages/live">${element}</div>
        <h2>What it tells</h2>
        <pre class="card">${JSON.stringify(message.event, null, 2)}</pre>`,
    });
  });

  pages.post("/console/webhooks/messages/:id/resend", async (c) => {
    const { id } = await resendMessage(deps, c.get("tenant"), readPathId(c, MessageId));
    return c.redirect(`/console/webhooks/messages/${id}`, 303);
  });

  return pages;
}

/** What became of a message, as an element of its id. */
function detail(message: WebhookMessage, attempts: readonly WebhookAttempt[]): Html {
  const { id, status, endpoint_id, url, reason, created_at, ended_at } = message;
  return html`<div id="${id}" ${status === "pending" && html`data-moving`}>
    <section class="card" aria-label="About it">
      ${facts([
        ["Status", statusBadge(status)],
        [
          "To",
          endpoint_id === null ? url : html`<a href="/console/webhooks/${endpoint_id}">its endpoint</a>`,
        ],
        ["Attempts of this sending", message.attempts],
        ["Why", reason ?? undefined],
        ["Created", timeAgo(created_at)],
        ["Ended", ended_at === null ? undefined : timeAgo(ended_at)],
      ])}
    </section>
    <h2>Attempts</h2>
    ${
      endpoint_id === null
        ? html`<p class="soft">Attempts at an address that came with a request are not kept one by one.</p>`
        : attemptTable(attempts, { ofOne: true })
    }
  </div>`;
}
