import * as z from "zod";

/** One class the model sees in an image. */
export const Prediction = z
  .object({
    index: z.int().meta({ description: "The class's place in the model's list of labels." }),
    label: z.string(),
    score: z
      .number()
      .meta({ description: "0 to 1: softmax over all classes, or sigmoid for multi-label models." }),
  })
  .meta({ id: "Prediction", description: "One class the model sees in an image." });
export type Prediction = z.infer<typeof Prediction>;
