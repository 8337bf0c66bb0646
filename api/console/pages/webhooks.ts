import type { Context } from "hono";
import { Hono } from "hono";
import { html } from "hono/html";
import { ERROR_KINDS } from "../../../shared/contracts/error.ts";
import { WebhookEndpointId } from "../../../shared/contracts/ids.ts";
import { CreateWebhookEndpoint } from "../../../shared/contracts/webhook.ts";
import type { WebhookEndpoint } from "../../../shared/contracts/webhook.ts";
import { AppError } from "../../../shared/errors.ts";
import { listEndpoints } from "../../../shared/state/webhook-endpoints.ts";
import type { ApiDeps } from "../../deps.ts";
import { createWebhookEndpoint } from "../../services/create-webhook-endpoint.ts";
import type { ConsoleEnv } from "../env.ts";
import type { AnswerLive } from "../live.ts";
import { needs } from "../needs.ts";
import { page } from "../page.ts";
import type { Html } from "../page.ts";
import { endpointForm } from "../parts/endpoint-form.ts";
import type { Filled } from "../parts/fields.ts";
import { pager } from "../parts/pager.ts";
import { readCursor } from "../parts/read-cursor.ts";
import { parseForm, readForm, textOf } from "../parts/read-form.ts";
import { secretPage } from "../parts/secret-page.ts";
import { statusBadge } from "../parts/status.ts";
import { timeAgo } from "../parts/time.ts";
import { webhookEndpointPages } from "./webhook-endpoints.ts";
import { webhookMessagePages } from "./webhook-messages.ts";

const LISTED = 50;

/** The pages of webhooks: who receives, what was sent, and how it was answered. */
export function webhookPages(deps: ApiDeps, live: AnswerLive): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();
  pages.use("/console/webhooks", needs("admin"));
  pages.use("/console/webhooks/*", needs("admin"));

  pages.get("/console/webhooks", async (c) => {
    const before = readCursor(c, WebhookEndpointId);
    const { data, next } = await listEndpoints(deps.redis, c.get("tenant"), { limit: LISTED, before });
    return page(c, {
      title: "Webhooks",
      actions: html`<a class="button primary" href="/console/webhooks/new">New endpoint</a>`,
      main: html`${data.length === 0 ? nothing() : endpointTable(data)} ${pager(c.req.path, before, next)}`,
    });
  });

  pages.get("/console/webhooks/new", (c) => newPage(c, { sent: {} }));

  pages.post("/console/webhooks", async (c) => {
    const sent = await readForm(c);
    try {
      const request = parseForm(CreateWebhookEndpoint, {
        url: textOf(sent, "url") ?? "",
        description: textOf(sent, "description"),
        signing: textOf(sent, "signing"),
        events: sent["events"],
      });
      return await secretPage(
        c,
        await createWebhookEndpoint(deps, c.get("tenant"), request),
        "Endpoint created",
      );
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return newPage(c, { sent, error });
    }
  });

  pages.route("/", webhookMessagePages(deps, live));
  pages.route("/", webhookEndpointPages(deps));
  return pages;
}

const newPage = (c: Context<ConsoleEnv>, filled: Filled) =>
  page(c, {
    title: "New endpoint",
    status: filled.error === undefined ? 200 : ERROR_KINDS[filled.error.code].status,
    main: endpointForm(filled),
  });

const nothing = (): Html =>
  html`<p class="empty">No endpoint is registered. One receives signed events about all that ends here.</p>`;

const endpointTable = (endpoints: readonly WebhookEndpoint[]): Html =>
  html`<div class="table">
    <table class="stack">
      <caption class="hidden">
        Webhook endpoints, the newest first
      </caption>
      <thead>
        <tr>
          <th scope="col">Address</th>
          <th scope="col">Status</th>
          <th scope="col">Events</th>
          <th scope="col">Created</th>
        </tr>
      </thead>
      <tbody>
        ${endpoints.map(
          ({ id, url, description, status, events, created_at }) =>
            html`<tr>
              <th scope="row">
                <a href="/console/webhooks/${id}">${url}</a>
                ${description !== "" && html`<div class="soft">${description}</div>`}
              </th>
              <td>${statusBadge(status)}</td>
              <td>${events?.join(", ") ?? "all"}</td>
              <td>${timeAgo(created_at)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
