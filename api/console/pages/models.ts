import type { Context } from "hono";
import { Hono } from "hono";
import { html } from "hono/html";
import { ModelName } from "../../../shared/contracts/ids.ts";
import type { Model } from "../../../shared/contracts/model.ts";
import type { Worker } from "../../../shared/contracts/worker.ts";
import type { ApiDeps } from "../../deps.ts";
import { getModel, listShownModels } from "../../services/list-models.ts";
import { listWorkers } from "../../services/list-workers.ts";
import type { ConsoleEnv } from "../env.ts";
import { needs } from "../needs.ts";
import { page } from "../page.ts";
import type { Html } from "../page.ts";
import { facts } from "../parts/facts.ts";
import { mayOperate } from "../parts/may-operate.ts";
import { readPathId } from "../parts/read-path-id.ts";
import { statusBadge } from "../parts/status.ts";
import { timeAgo } from "../parts/time.ts";

/** The pages of models: which there are, what they tell apart and who serves them. */
export function modelPages(deps: ApiDeps): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();

  pages.get("/console/models", needs("read"), async (c) => {
    const models = await listShownModels(deps);
    return page(c, { title: "Models", main: models.length > 0 ? table(models) : EMPTY });
  });

  /** Who serves a model now, as far as whoever asks may see it. */
  const workersOf = async (c: Context<ConsoleEnv>, model: string): Promise<Worker[] | undefined> =>
    mayOperate(c)
      ? (await listWorkers(deps)).filter(({ labelling }) => labelling?.model === model)
      : undefined;

  pages.get("/console/models/:id", needs("read"), async (c) => {
    const { labels, ...model } = await getModel(deps, readPathId(c, ModelName));
    return page(c, {
      title: model.id,
      main: html`${about(model, await workersOf(c, model.id))}
        <h2>Labels</h2>
        <ol class="labels card" start="0">
          ${labels.map((label) => html`<li>${label}</li>`)}
        </ol>`,
    });
  });

  return pages;
}

const EMPTY = html`<p class="empty">No worker has served a model here yet.</p>`;

const stateOf = ({ is_served }: Model) => (is_served ? "served" : "not served");

const inputOf = ({ input_size }: Model) =>
  input_size === null ? "–" : `${input_size[1]} × ${input_size[0]} pixels`;

const table = (models: readonly Model[]): Html =>
  html`<div class="table">
    <table class="stack">
      <caption class="hidden">
        Models, by name
      </caption>
      <thead>
        <tr>
          <th scope="col">Model</th>
          <th scope="col">Status</th>
          <th scope="col" class="number">Labels</th>
          <th scope="col">Image</th>
          <th scope="col">Device</th>
          <th scope="col">Last seen</th>
        </tr>
      </thead>
      <tbody>
        ${models.map(
          (model) =>
            html`<tr>
              <th scope="row">
                <a href="/console/models/${model.id}">${model.id}</a>
                ${model.is_default && html`<span class="soft">default</span>`}
              </th>
              <td>${statusBadge(stateOf(model))}</td>
              <td class="number">${model.num_classes}</td>
              <td>${inputOf(model)}</td>
              <td>${model.device}</td>
              <td>${timeAgo(model.last_seen_at)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;

const about = (model: Model, workers: readonly Worker[] | undefined): Html =>
  html`<section class="card" aria-label="About it">
    ${facts([
      ["Status", statusBadge(stateOf(model))],
      ["Used for", model.is_default ? "what names no model" : undefined],
      ["Labels", model.num_classes],
      ["Images are scaled to", inputOf(model)],
      ["Device", model.device],
      ["Last seen", timeAgo(model.last_seen_at)],
      ["Workers", workers && workersIn(workers)],
      ["Digest", html`<code>${model.digest}</code>`],
    ])}
  </section>`;

const workersIn = (workers: readonly Worker[]): Html =>
  workers.length === 0
    ? html`none`
    : html`<a href="/console/workers">${workers.map(({ host, pid }) => `${host}:${pid}`).join(", ")}</a>`;
