import * as z from "zod";
import { ModelName } from "./ids.ts";

const Described = z.object({
  digest: z.string().meta({ description: "Names the very weights of the version that was last announced." }),
  num_classes: z.int(),
  device: z.string().meta({ description: "What it runs on, such as `cpu`." }),
  input_size: z
    .tuple([z.int(), z.int()])
    .nullable()
    .default(null)
    .meta({ description: "The pixels an image is scaled to: rows and columns." }),
});

/** A model that a worker serves or has served, as workers announce it when they are ready and twice a minute from then on. */
export const ServedModel = Described.extend({ name: ModelName, served_at: z.iso.datetime() });
export type ServedModel = z.infer<typeof ServedModel>;

/** A model as the API shows it. */
export const Model = Described.extend({
  id: ModelName,
  object: z.literal("model"),
  is_default: z.boolean().meta({ description: "Whether it labels what names no model." }),
  is_served: z.boolean().meta({
    description:
      "Whether a worker serves it now; images for one that nobody serves wait for the next worker.",
  }),
  last_seen_at: z.iso.datetime().meta({ description: "When a worker last said that it serves it." }),
}).meta({ id: "Model", description: "A model that images can be labelled with." });
export type Model = z.infer<typeof Model>;

/** The same with the names of its classes. */
export const ModelWithLabels = Model.extend({
  labels: z.array(z.string()).meta({ description: "The names of its classes, by their numbers." }),
}).meta({ id: "ModelWithLabels" });
export type ModelWithLabels = z.infer<typeof ModelWithLabels>;
