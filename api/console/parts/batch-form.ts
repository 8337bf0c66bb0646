import { html } from "hono/html";
import type { Model } from "../../../shared/contracts/model.ts";
import type { Html } from "../page.ts";
import { formFault, textField } from "./fields.ts";
import type { Filled } from "./fields.ts";
import { modelFields } from "./model-fields.ts";
import { textOf } from "./read-form.ts";

/** Where the images of a batch come from, as the form has them. The two of buckets are there when any may be read. */
const SOURCES = [
  { value: "urls", label: "Addresses" },
  { value: "prefix", label: "A bucket's prefix" },
  { value: "manifest", label: "A manifest in a bucket" },
] as const;

/** What a new batch is made of. The style shows the fields of the source that is chosen. */
export function batchForm(models: readonly Model[], buckets: readonly string[], filled: Filled): Html {
  const { sent } = filled;
  const chosen = textOf(sent, "source") ?? "urls";
  const sources = buckets.length > 0 ? SOURCES : SOURCES.slice(0, 1);
  return html`<form class="card stack new-batch" method="post" action="/console/batches">
    ${formFault(filled, ["model", "top_k"])}
    <fieldset class="choices">
      <legend>Images from</legend>
      ${sources.map(
        ({ value, label }) =>
          html`<label
            ><input type="radio" name="source" value="${value}" ${value === chosen && "checked"} />
            ${label}</label
          >`,
      )}
    </fieldset>
    <div class="field of-urls">
      <label for="urls">Addresses <small>one a line, 10,000 at most</small></label>
      <textarea id="urls" name="urls" rows="8" spellcheck="false" placeholder="https://example.com/cat.jpg">
${textOf(sent, "urls")}</textarea>
    </div>
    ${buckets.length > 0 && bucketFields(filled, buckets)} ${modelFields(models, filled)}
    <label class="check"
      ><input type="checkbox" name="csv" value="csv" ${textOf(sent, "csv") !== undefined && "checked"} />
      Write the results as CSV too</label
    >
    <div class="actions">
      <button class="primary">Make the batch</button>
      <a class="button" href="/console/batches">Back</a>
    </div>
  </form>`;
}

const bucketFields = (filled: Filled, buckets: readonly string[]) =>
  html`<div class="fields of-prefix">
      ${textField(filled, { name: "bucket", label: "Bucket", placeholder: buckets[0] ?? "", isOptional: true })}
      ${textField(filled, { name: "prefix", label: "Keys begin with", placeholder: "2026/", isOptional: true })}
    </div>
    <div class="of-manifest">
      ${textField(filled, {
        name: "manifest",
        label: "Manifest",
        placeholder: `s3://${buckets[0] ?? "bucket"}/manifest.jsonl`,
        help: "JSON lines, Rekognition's source-ref or CSV, gzip or not.",
        isOptional: true,
      })}
    </div>`;
