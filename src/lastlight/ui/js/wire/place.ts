// Where a picture goes, and the name of its going there: the same again while it is not known whether it arrived.
import { once } from "./once";
import { uuid7 } from "./uuid";

export interface Place {
  alt: string;
  address: string;
  key: string;
}

/** A place holds a secret, so its answer is kept under no key: one that was asked for in vain stays empty, and is cleared. */
export async function placeFor(path: string, alt: string): Promise<Place> {
  const { upload_url } = await once<{ upload_url: string }>(path, { alt });
  return { alt, address: new URL(upload_url).pathname, key: uuid7() };
}
