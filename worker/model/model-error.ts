/** The user's fault: a file, a config or an argument of `tresline-model` that cannot be used. `message` is one line that says what and where. */
export class ModelError extends Error {
  override readonly name = "ModelError";
}
