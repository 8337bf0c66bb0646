/** An object whose fields a published schema knows. */
export interface Validated {
  validate: () => void;
}

/** Where the fields of a value are that the schema of its kind does not know. Schemas of Kubernetes let those pass, and so does `validate`. */
export function unknownFields(value: object, model: (value: object) => Validated): string[] {
  return [...pathsIn(value)]
    .filter((path) => isTaken(model, withNonsenseAt(value, path)))
    .map((path) => path.join("."));
}

/** A known field has a type, which this is not; an unknown one may be anything. */
const NONSENSE = Symbol("of no type");

function isTaken(model: (value: object) => Validated, value: object): boolean {
  try {
    model(value).validate();
    return true;
  } catch {
    return false;
  }
}

function withNonsenseAt(value: object, path: readonly string[]): object {
  const copy = structuredClone(value);
  let at = copy as Record<string, object>;
  for (const name of path.slice(0, -1)) at = at[name] as Record<string, object>;
  Object.assign(at, { [path.at(-1) ?? ""]: NONSENSE });
  return copy;
}

function* pathsIn(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, each] of Object.entries(value)) {
    yield [...path, name];
    yield* pathsIn(each, [...path, name]);
  }
}
