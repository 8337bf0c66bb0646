import { command } from "../command.ts";
import { readOneId } from "../read-one-id.ts";

/** `tresline keys revoke`. */
export const keysRevoke = command({
  help: `Usage: tresline keys revoke ID [OPTION]...

Revokes an API key: the next request with it is refused.
`,
  options: {},
  async run({ positionals }, { connect, asJson, out }) {
    const revoked = await connect().apiKeys.revoke(readOneId("keys revoke", "key_", positionals));
    const { id, tenant, name, revoked_at } = revoked;
    await out(
      asJson
        ? `${JSON.stringify(revoked)}\n`
        : `${id} (${tenant}: ${name}) is revoked since ${revoked_at}.\n`,
    );
  },
});
