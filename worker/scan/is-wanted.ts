import { isOwnKey } from "../../shared/keys.ts";

/** An object as a listing or an inventory tells of it; `size` is in bytes and absent where an inventory does not tell it. */
interface ListedObject {
  key: string;
  size?: number | undefined;
}

/** Which objects of a bucket a batch is of. */
interface Selection {
  prefix: string;
  suffixes?: readonly string[] | undefined;
}

/** Whether a batch is of this object: it begins and ends as asked, stands for no folder and was not written by Tresline. */
export const isWanted = ({ key, size }: ListedObject, { prefix, suffixes }: Selection): boolean =>
  key.startsWith(prefix) &&
  (suffixes?.some((suffix) => key.endsWith(suffix)) ?? true) &&
  !(size === 0 && key.endsWith("/")) &&
  !isOwnKey(key);
