import { Hono } from "hono";
import { html } from "hono/html";
import type { ApiDeps } from "../../deps.ts";
import { listWorkers } from "../../services/list-workers.ts";
import type { ConsoleEnv } from "../env.ts";
import type { AnswerLive } from "../live.ts";
import { page } from "../page.ts";
import { needsOperator } from "../parts/may-operate.ts";
import { WORKERS, workerTable } from "../parts/worker-table.ts";

/** The page of workers, which goes on as they do. */
export function workerPages(deps: ApiDeps, live: AnswerLive): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();

  pages.get("/console/workers", needsOperator, async (c) =>
    page(c, {
      title: "Workers",
      main: html`<p class="soft under">Images a second and in a micro-batch are means of the last minute.</p>
        <div data-live="/console/workers/live">${workerTable(await listWorkers(deps))}</div>`,
    }),
  );

  pages.get("/console/workers/live", needsOperator, (c) =>
    live(c, async () => ({ id: WORKERS, element: workerTable(await listWorkers(deps)), moves: true })),
  );

  return pages;
}
