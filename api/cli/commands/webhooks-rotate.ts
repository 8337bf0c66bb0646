import { command } from "../command.ts";
import { readDecimal } from "../read-number.ts";
import { readOneId } from "../read-one-id.ts";
import { showSecret } from "../show-secret.ts";

/** `tresline webhooks rotate`. */
export const webhooksRotate = command({
  help: `Usage: tresline webhooks rotate ID [OPTION]...

Replaces the secret of a webhook endpoint and prints the new one, this once.

  --overlap-hours N  how long the secret before signs beside it (default 24); 0
                     ends it at once, as when it has leaked
`,
  options: { "overlap-hours": { type: "string" } },
  async run({ values: { "overlap-hours": hours }, positionals }, context) {
    const id = readOneId("webhooks rotate", "whe_", positionals);
    const overlapHours = hours === undefined ? undefined : readDecimal("--overlap-hours", hours);
    return showSecret(await context.connect().webhookEndpoints.rotateSecret(id, { overlapHours }), context);
  },
});
