import { html } from "hono/html";
import { BATCH_EVENTS, CLASSIFICATION_EVENTS, RUN_EVENTS } from "../../../shared/contracts/event.ts";
import type { Html } from "../page.ts";
import { choiceField, formFault, textField } from "./fields.ts";
import type { Filled } from "./fields.ts";

const GROUPS = [
  ["Classifications", CLASSIFICATION_EVENTS],
  ["Batches", BATCH_EVENTS],
  ["Labelers", RUN_EVENTS],
] as const;

/** The form that registers a webhook endpoint. */
export function endpointForm(filled: Filled): Html {
  const chosen = filled.sent["events"] ?? [];
  return html`<form class="card stack" method="post" action="/console/webhooks">
    ${formFault(filled, ["url", "description", "signing"])}
    ${textField(filled, {
      name: "url",
      label: "Address",
      type: "url",
      placeholder: "https://example.com/hooks/tresline",
      help: "Signed events are posted here.",
    })}
    ${textField(filled, { name: "description", label: "Description", isOptional: true, help: "For you to tell it by." })}
    ${choiceField(filled, {
      name: "signing",
      label: "Signature",
      options: [
        ["hmac", "HMAC-SHA256, by a secret that you keep"],
        ["ed25519", "Ed25519, verified with a public key"],
      ],
    })}
    <fieldset class="stack">
      <legend>Events <small class="help">all when none is chosen</small></legend>
      <div class="fields">
        ${GROUPS.map(
          ([title, events]) =>
            html`<div class="choices column" role="group" aria-label="${title}">
              ${events.map(
                (event) =>
                  html`<label class="choice">
                    <input
                      type="checkbox"
                      name="events"
                      value="${event}"
                      ${chosen.includes(event) && "checked"}
                    />
                    ${event}
                  </label>`,
              )}
            </div>`,
        )}
      </div>
    </fieldset>
    <div class="actions">
      <button class="primary">Create endpoint</button>
      <a class="button" href="/console/webhooks">Cancel</a>
    </div>
  </form>`;
}
