import { EventType } from "../../../shared/contracts/event.ts";
import { UsageError, command } from "../command.ts";
import { showSecret } from "../show-secret.ts";

/** `tresline webhooks create`. */
export const webhooksCreate = command({
  help: `Usage: tresline webhooks create URL [OPTION]...

Registers an endpoint that is sent signed events, and prints its secret, this
once.

  --event NAME       only this event, such as batch.completed; may be given
                     again (default: all)
  --description TEXT what it is, for people
  --ed25519          sign with a private key that nobody is shown; the public
                     one is printed, which verifies
`,
  options: {
    event: { type: "string", multiple: true },
    description: { type: "string" },
    ed25519: { type: "boolean" },
  },
  async run({ values: { event, description, ed25519 }, positionals: [url, ...more] }, context) {
    if (url === undefined || more.length > 0) throw new UsageError("webhooks create takes one address.");
    const made = await context.connect().webhookEndpoints.create({
      url,
      events: event?.map(readEvent),
      description,
      signing: ed25519 ? "ed25519" : "hmac",
    });
    return showSecret(made, context);
  },
});

function readEvent(text: string): EventType {
  const { data } = EventType.safeParse(text);
  if (data === undefined)
    throw new UsageError(`--event must be one of ${EventType.options.join(", ")}; it is "${text}".`);
  return data;
}
