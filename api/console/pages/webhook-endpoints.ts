import type { Context } from "hono";
import { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { WebhookEndpointId } from "../../../shared/contracts/ids.ts";
import { RotationQuery } from "../../../shared/contracts/webhook.ts";
import type { WebhookEndpoint } from "../../../shared/contracts/webhook.ts";
import { deleteEndpoint, updateEndpoint } from "../../../shared/state/webhook-endpoints.ts";
import type { ApiDeps } from "../../deps.ts";
import { getWebhookEndpoint } from "../../services/get-webhook-endpoint.ts";
import { listWebhookAttempts } from "../../services/list-webhook-attempts.ts";
import { recoverMessages } from "../../services/recover-messages.ts";
import { rotateEndpointSecret } from "../../services/rotate-endpoint-secret.ts";
import { sendTestMessage } from "../../services/send-test-message.ts";
import type { ConsoleEnv } from "../env.ts";
import { page } from "../page.ts";
import type { Html } from "../page.ts";
import { attemptTable } from "../parts/attempt-table.ts";
import { confirmPage } from "../parts/confirm-page.ts";
import { facts } from "../parts/facts.ts";
import { choiceField } from "../parts/fields.ts";
import { pager } from "../parts/pager.ts";
import { postButton } from "../parts/post-button.ts";
import { readCursor } from "../parts/read-cursor.ts";
import { numberOf, parseForm, readForm, textOf } from "../parts/read-form.ts";
import { readPathId } from "../parts/read-path-id.ts";
import { secretPage } from "../parts/secret-page.ts";
import { statusBadge } from "../parts/status.ts";
import { timeAgo } from "../parts/time.ts";

const LISTED = 25;
const AttemptCursor = z.string().regex(/^\d{1,15}-\d{1,10}$/);
const RecoverForm = z.object({
  hours: z
    .int()
    .min(1)
    .max(24 * 14),
});

const idOf = (c: Context) => readPathId(c, WebhookEndpointId);
const back = (c: Context, query = "") => c.redirect(`/console/webhooks/${idOf(c)}${query}`, 303);

/** The page of one endpoint, and all that is done to it. */
export function webhookEndpointPages(deps: ApiDeps): Hono<ConsoleEnv> {
  const { redis } = deps;
  const pages = new Hono<ConsoleEnv>();
  const find = (c: Context<ConsoleEnv>) => getWebhookEndpoint(deps, c.get("tenant"), idOf(c));

  pages.get("/console/webhooks/:id", async (c) => {
    const endpoint = await find(c);
    const before = readCursor(c, AttemptCursor);
    const place = { limit: LISTED, before };
    const { data, next } = await listWebhookAttempts(deps, c.get("tenant"), endpoint.id, place);
    const recovered = z.coerce.number().int().safeParse(c.req.query("recovered"));
    return page(c, {
      title: endpoint.description || new URL(endpoint.url).host,
      actions: actions(endpoint),
      main: html`${recovered.success && html`<p class="notice" role="status">${sentAgain(recovered.data)}</p>`}
        <p class="under"><code>${endpoint.id}</code></p>
        ${endpoint.status === "disabled" && html`<p class="notice bad">It is disabled. ${endpoint.disabled_reason}</p>`}
        ${about(endpoint)}
        <h2>Attempts</h2>
        ${attemptTable(data)} ${pager(c.req.path, before, next)}
        <h2>Endpoint</h2>
        ${chores(endpoint)}`,
    });
  });

  pages.post("/console/webhooks/:id/test", async (c) => {
    const { id } = await sendTestMessage(deps, c.get("tenant"), idOf(c), c.get("traceparent"));
    return c.redirect(`/console/webhooks/messages/${id}`, 303);
  });

  for (const status of ["enabled", "disabled"] as const)
    pages.post(`/console/webhooks/:id/${status}`, async (c) => {
      await updateEndpoint(redis, c.get("tenant"), (await find(c)).id, { status });
      return back(c);
    });

  pages.post("/console/webhooks/:id/recover", async (c) => {
    const { hours } = parseForm(RecoverForm, { hours: numberOf(await readForm(c), "hours") });
    const since = new Date(Date.now() - hours * 3_600_000).toISOString();
    const { messages } = await recoverMessages(deps, c.get("tenant"), { id: idOf(c), since });
    return back(c, `?recovered=${messages}`);
  });

  pages.post("/console/webhooks/:id/rotate", async (c) => {
    const { overlap_hours } = parseForm(RotationQuery, {
      overlap_hours: textOf(await readForm(c), "overlap_hours"),
    });
    const overlapMs = overlap_hours * 3_600_000;
    return secretPage(
      c,
      await rotateEndpointSecret(deps, c.get("tenant"), { id: idOf(c), overlapMs }),
      "Secret rotated",
    );
  });

  pages.get("/console/webhooks/:id/delete", async (c) => {
    const { id, url } = await find(c);
    return confirmPage(c, {
      title: "Delete endpoint",
      text: `${url} receives nothing from then on, not even what is under way to it, and its attempts are forgotten.`,
      verb: "Delete endpoint",
      back: `/console/webhooks/${id}`,
    });
  });

  pages.post("/console/webhooks/:id/delete", async (c) => {
    await deleteEndpoint(redis, c.get("tenant"), (await find(c)).id);
    return c.redirect("/console/webhooks", 303);
  });

  return pages;
}

const sentAgain = (messages: number) =>
  messages === 0
    ? "Nothing was missed in that time."
    : `${messages} ${messages === 1 ? "message is" : "messages are"} sent again.`;

const actions = ({ id, status }: WebhookEndpoint): Html =>
  html`<div class="actions">
    ${
      status === "enabled"
        ? html`${postButton(`/console/webhooks/${id}/disabled`, "Disable")}
          ${postButton(`/console/webhooks/${id}/test`, "Send a test", "primary")}`
        : postButton(`/console/webhooks/${id}/enabled`, "Enable", "primary")
    }
  </div>`;

const about = ({ url, status, events, signing, public_key, created_at }: WebhookEndpoint): Html =>
  html`<section class="card" aria-label="About it">
    ${facts([
      ["Address", url],
      ["Status", statusBadge(status)],
      ["Events", events?.join(", ") ?? "all"],
      ["Signature", signing === "hmac" ? "HMAC-SHA256" : "Ed25519"],
      ["Public key", public_key === null ? undefined : html`<code>${public_key}</code>`],
      ["Created", timeAgo(created_at)],
    ])}
  </section>`;

/** What is done now and then: sending again what was missed, another secret, its end. */
const chores = ({ id, status, signing }: WebhookEndpoint): Html =>
  html`<div class="fields chores">
    ${
      status === "enabled" &&
      html`<form class="card stack" method="post" action="/console/webhooks/${id}/recover">
        ${choiceField(
          { sent: {} },
          {
            name: "hours",
            label: "Send again what it missed",
            help: "Given up or not sent; each under the id it had.",
            options: [
              ["1", "in the last hour"],
              ["24", "in the last day"],
              ["168", "in the last week"],
              ["336", "in the last two weeks"],
            ],
          },
        )}
        <div class="actions"><button>Recover</button></div>
      </form>`
    }
    <form class="card stack" method="post" action="/console/webhooks/${id}/rotate">
      ${choiceField(
        { sent: {} },
        {
          name: "overlap_hours",
          label: signing === "hmac" ? "Replace its secret" : "Replace its keys",
          help: "Meanwhile each message has a signature by either.",
          options: [
            ["24", "and sign by the old one for a day"],
            ["168", "and sign by the old one for a week"],
            ["0", "and forget the old one at once"],
          ],
        },
      )}
      <div class="actions"><button>Rotate</button></div>
    </form>
    <div class="card stack">
      <div class="field">
        <b>Delete it</b>
        <span class="help">It receives nothing more, and its attempts are forgotten.</span>
      </div>
      <div class="actions"><a class="button danger" href="/console/webhooks/${id}/delete">Delete…</a></div>
    </div>
  </div>`;
