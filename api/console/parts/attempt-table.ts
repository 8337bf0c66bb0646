import { html } from "hono/html";
import type { WebhookAttempt } from "../../../shared/contracts/webhook.ts";
import type { Html } from "../page.ts";
import { numberCell } from "./number-cell.ts";
import { statusBadge } from "./status.ts";
import { duration, timeAgo } from "./time.ts";

/** Attempts to deliver messages, as they were made and answered; with the message of each unless all are of one. */
export function attemptTable(attempts: readonly WebhookAttempt[], { ofOne = false } = {}): Html {
  if (attempts.length === 0) return html`<p class="empty">Nothing was sent yet.</p>`;
  return html`<div class="table">
    <table class="stack">
      <caption class="hidden">
        Attempts, the latest first
      </caption>
      <thead>
        <tr>
          <th scope="col">${ofOne ? "Attempt" : "Message"}</th>
          <th scope="col">Outcome</th>
          <th scope="col">Answer</th>
          <th scope="col" class="number">Took</th>
          <th scope="col">When</th>
        </tr>
      </thead>
      <tbody>
        ${attempts.map((each) => row(each, ofOne))}
      </tbody>
    </table>
  </div>`;
}

function row(attempt: WebhookAttempt, ofOne: boolean): Html {
  const { message_id, type, number, status, duration_ms, attempted_at } = attempt;
  const ordinal = number === 0 ? "Not sent" : `Attempt ${number}`;
  return html`<tr>
    <th scope="row">
      ${
        ofOne
          ? ordinal
          : html`<a href="/console/webhooks/messages/${message_id}">${type}</a>
              <small class="soft">${ordinal.toLowerCase()}</small>`
      }
    </th>
    <td>${statusBadge(status)}</td>
    <td class="wide">${answer(attempt)}</td>
    ${numberCell("Took", status === "not_sent" ? undefined : duration(duration_ms))}
    <td>${timeAgo(attempted_at)}</td>
  </tr>`;
}

/** What the receiver answered: text of somebody else, which is never more than text here. */
function answer({ response_status, response_body, reason }: WebhookAttempt): Html {
  const told = html`${reason ?? response_status}`;
  if (response_body === null || response_body === "") return told;
  return html`<details>
    <summary>${told}</summary>
    <pre>${response_body}</pre>
  </details>`;
}
