import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { HonoAdapter } from "@bull-board/hono";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { AppError } from "../../shared/errors.ts";
import type { ApiDeps } from "../deps.ts";
import { knownQueues } from "../services/known-queues.ts";
import { BOARD_PATH } from "./board-path.ts";

/** What the board's page needs: its own scripts, and styles that these write into it. The fonts that it asks of others it does without. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

/**
 * Opens bull-board, which looks into the jobs of all queues and changes none: a job that was removed or tried again behind
 * our back could break a promise. It reads files, so it is there on Node only. Whoever mounts it lets operators in alone.
 */
export function openBoard(deps: Pick<ApiDeps, "config" | "redis" | "queues">): Hono {
  const adapter = new HonoAdapter(serveStatic).setBasePath(BOARD_PATH);
  const { addQueue } = createBullBoard({
    queues: [],
    serverAdapter: adapter,
    options: {
      uiConfig: {
        boardTitle: "Jobs · Tresline",
        miscLinks: [{ text: "Back to the console", url: "/console/queues" }],
        hideDocsLink: true,
      },
    },
  });
  adapter.setErrorHandler(() => ({ status: 500, body: { error: "ERRORS.INTERNAL_SERVER_ERROR" } }));
  const shown = new Set<string>();
  const showQueues = async () => {
    for (const { name } of await knownQueues(deps)) {
      if (shown.has(name)) continue;
      const queue = await deps.queues.vendorQueue(name);
      // Another request may have shown it meanwhile.
      if (!shown.has(name)) addQueue(new BullMQAdapter(queue, { readOnlyMode: true, delimiter: "." }));
      shown.add(name);
    }
  };

  const board = new Hono();
  board.use(async (c, next) => {
    if (c.req.method !== "GET")
      throw new AppError("forbidden", "Jobs are only looked at here; tresline admin changes them.");
    await showQueues();
    await next();
    // A page that says what went wrong is one of the console's.
    if (c.error === undefined) c.header("content-security-policy", POLICY);
  });
  board.route("/", adapter.registerPlugin());
  return board;
}
