import { html } from "hono/html";
import type { Model } from "../../../shared/contracts/model.ts";
import type { Html } from "../page.ts";
import { modelFields } from "./model-fields.ts";

/** Images that are sent at once. */
export const MOST_AT_ONCE = 50;

/** Where images are dropped and chosen and addresses are pasted. The file field covers its whole box, so that dropping needs no script. */
export const classifyForm = (models: readonly Model[]): Html =>
  html`<form
    class="card stack classify"
    method="post"
    action="/console"
    enctype="multipart/form-data"
    data-send="cards"
  >
    <div class="drop">
      <input id="images" name="images" type="file" accept="image/*" multiple aria-describedby="images-help" />
      <label for="images">Drop images here, or choose them</label>
      <p id="images-help" class="help">JPEG, PNG, WebP, GIF, AVIF or TIFF, from a file or the clipboard</p>
    </div>
    <div class="field">
      <label for="urls">Addresses <small>one a line</small></label>
      <textarea
        id="urls"
        name="urls"
        rows="2"
        spellcheck="false"
        placeholder="https://example.com/cat.jpg"
      ></textarea>
    </div>
    <details>
      <summary>Options</summary>
      ${modelFields(models, { sent: {} })}
    </details>
    <div class="actions">
      <button class="primary">Classify</button>
      <p class="fault" role="alert" data-fault></p>
    </div>
  </form>`;
