import { html } from "hono/html";
import type { Model } from "../../../shared/contracts/model.ts";
import type { Html } from "../page.ts";
import { choiceField, textField } from "./fields.ts";
import type { Filled } from "./fields.ts";

/** The fields of how images are labelled: `model` and `top_k`. */
export const modelFields = (models: readonly Model[], filled: Filled): Html =>
  html`<div class="fields">
    ${choiceField(filled, {
      name: "model",
      label: "Model",
      options: [["", "The default one"], ...models.map(({ id }) => [id, id] as const)],
    })}
    ${textField(filled, { name: "top_k", label: "Labels at most", value: "5", type: "number" })}
  </div>`;
