import { queueNames } from "../../../shared/queue.ts";
import { announceModel } from "../../../shared/state/models.ts";
import { imageJob } from "../../support/labelling.ts";
import type { TestApi } from "./test-api.ts";

/** Announces a model of the test's own and puts so many images into its interactive queue; gives the queue's name and their ids. */
export async function queueWith(
  { deps }: TestApi,
  model: string,
  images: number,
): Promise<{ name: string; ids: string[] }> {
  await announceModel(deps.redis, {
    name: model,
    digest: "sha256:0",
    num_classes: 1,
    device: "cpu",
    served_at: new Date().toISOString(),
  });
  const jobs = Array.from({ length: images }, () => imageJob("/a", { model }));
  const all = jobs.map((payload) => ({ id: payload.id, payload }));
  await deps.queues.enqueueClassify(model, "interactive", all);
  return { name: queueNames.classify(model, "interactive"), ids: jobs.map(({ id }) => id) };
}
