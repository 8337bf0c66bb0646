import { html } from "hono/html";
import type { Model } from "../../../shared/contracts/model.ts";
import type { Html } from "../page.ts";
import { choiceField, formFault, textField } from "./fields.ts";
import type { Filled } from "./fields.ts";
import { modelFields } from "./model-fields.ts";

const NAMES = [
  "bucket",
  "prefix",
  "suffixes",
  "model",
  "top_k",
  "threshold",
  "write_back",
  "on_error",
  "webhook",
];

/** The form that makes a labeler. */
export const labelerForm = (models: readonly Model[], filled: Filled): Html =>
  html`<form class="card stack" method="post" action="/console/labelers">
    ${formFault(filled, NAMES)}
    <div class="fields">
      ${textField(filled, { name: "bucket", label: "Bucket", placeholder: "photos" })}
      ${textField(filled, {
        name: "prefix",
        label: "Prefix",
        isOptional: true,
        placeholder: "2026/",
        help: "Only keys that begin so.",
      })}
      ${textField(filled, {
        name: "suffixes",
        label: "Endings",
        isOptional: true,
        placeholder: ".jpg .png",
        help: "Only keys that end in one of these.",
      })}
    </div>
    ${modelFields(models, filled)}
    <div class="fields">
      ${textField(filled, {
        name: "threshold",
        label: "Least score",
        value: "0",
        help: "From 0 to 1; labels below it are left out.",
      })}
      ${choiceField(filled, {
        name: "write_back",
        label: "Labels go",
        options: [
          ["none", "into the results only"],
          ["tags", "to the object's tags as well"],
          ["sidecar", "to a file beside it as well"],
        ],
      })}
      ${choiceField(filled, {
        name: "on_error",
        label: "Objects that fail",
        options: [
          ["report", "are told in the results only"],
          ["write_back", "have it written back as well"],
        ],
      })}
    </div>
    ${textField(filled, {
      name: "webhook",
      label: "Tell of its runs",
      isOptional: true,
      placeholder: "https://example.com/hooks or whe_…",
      help: "An address, or the id of a webhook endpoint.",
    })}
    <div class="actions">
      <button class="primary">Create labeler</button>
      <a class="button" href="/console/labelers">Cancel</a>
    </div>
  </form>`;
