import { Hono } from "hono";
import { html } from "hono/html";
import type { ApiDeps } from "../../deps.ts";
import { getScaler } from "../../services/get-scaler.ts";
import type { ScaledModel } from "../../services/get-scaler.ts";
import { inspectQueue, inspectQueues } from "../../services/inspect-queues.ts";
import { USUAL_GOAL } from "../../wanted-pods.ts";
import { BOARD_PATH } from "../board-path.ts";
import type { ConsoleEnv } from "../env.ts";
import type { AnswerLive } from "../live.ts";
import { page } from "../page.ts";
import type { Html } from "../page.ts";
import { needsOperator } from "../parts/may-operate.ts";
import { queueRow, queueTable } from "../parts/queue-table.ts";
import { queuePage } from "./queue.ts";

/** What the id of what is said of a model begins with; the name of a queue has no colon. */
const LOAD = "load:";

/** The pages of queues: what waits for which workers. */
export function queuePages(deps: ApiDeps, live: AnswerLive): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();
  pages.use("/console/queues", needsOperator);
  pages.use("/console/queues/*", needsOperator);

  pages.get("/console/queues", async (c) => {
    const [queues, loads] = await Promise.all([inspectQueues(deps), getScaler(deps, USUAL_GOAL, undefined)]);
    const ofModel = (name: string) => queues.filter(({ model }) => model === name);
    return page(c, {
      title: "Queues",
      actions: deps.board && html`<a class="button" href="${BOARD_PATH}">Look into jobs</a>`,
      main: html`<div data-live="/console/queues/live">
        ${loads.map(
          (load) =>
            html`<h2>${load.model}</h2>
              ${loadLine(load)} ${queueTable(ofModel(load.model), load.model)}`,
        )}
        <h2>Of all models</h2>
        ${queueTable(
          queues.filter(({ model }) => model === null),
          "all models",
        )}
      </div>`,
    });
  });

  const lookAt = async (id: string): Promise<Html> => {
    if (!id.startsWith(LOAD)) return queueRow(await inspectQueue(deps, id));
    const [load] = await getScaler(deps, USUAL_GOAL, id.slice(LOAD.length));
    return load === undefined ? html`` : loadLine(load);
  };
  pages.get("/console/queues/live", (c) =>
    live(c, async (id) => ({ id, element: await lookAt(id), moves: true })),
  );

  if (deps.board !== undefined) {
    pages.get(`${BOARD_PATH}/`, (c) => c.redirect(BOARD_PATH));
    pages.route(BOARD_PATH, deps.board);
  }
  pages.route("/", queuePage(deps));
  return pages;
}

/** What there is to label with a model and what that takes, as an element that goes on moving. */
function loadLine({ model, queues, workers, wanted }: ScaledModel): Html {
  const images = Object.values(queues).reduce((sum, queue) => sum + queue.images, 0);
  const told = [
    count(images, "image to label", "images to label"),
    count(workers, "worker"),
    count(wanted, "pod wanted", "pods wanted"),
  ];
  return html`<p id="${LOAD}${model}" class="soft" data-moving>${told.join(", ")}</p>`;
}

const count = (number: number, one: string, more = `${one}s`) =>
  `${number.toLocaleString("en")} ${number === 1 ? one : more}`;
