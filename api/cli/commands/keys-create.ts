import { Scope } from "../../../shared/contracts/api-key.ts";
import { UsageError, command } from "../command.ts";

/** `tresline keys create`. */
export const keysCreate = command({
  help: `Usage: tresline keys create NAME --scope SCOPE [OPTION]...

Makes an API key and prints it, this once.

  --scope SCOPE      what it allows: classify, read or admin; may be given again
  --tenant NAME      whose it is (default: your own; that of another needs the
                     key of the service itself)
`,
  options: { scope: { type: "string", multiple: true }, tenant: { type: "string" } },
  async run({ values: { scope = [], tenant }, positionals: [name, ...more] }, { connect, asJson, out, err }) {
    if (name === undefined || more.length > 0) throw new UsageError("keys create takes one name.");
    const scopes = scope.map(readScope);
    if (scopes.length === 0) throw new UsageError("keys create needs --scope classify, read or admin.");
    const made = await connect().apiKeys.create({ name, scopes, ...(tenant !== undefined && { tenant }) });
    if (asJson) return out(`${JSON.stringify(made)}\n`);
    err.write(`tresline: ${made.id} of ${made.tenant}. The key is not shown again:\n`);
    return out(`${made.key}\n`);
  },
});

function readScope(text: string): Scope {
  const scope = Scope.options.find((each) => each === text);
  if (scope === undefined)
    throw new UsageError(`--scope must be ${Scope.options.join(" or ")}; it is "${text}".`);
  return scope;
}
