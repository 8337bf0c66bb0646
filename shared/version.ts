import manifest from "../package.json" with { type: "json" };

/** The version of Tresline. */
export const VERSION: string = manifest.version;
