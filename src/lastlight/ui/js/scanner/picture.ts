// A code in a picture that was taken before.
/** The text of the QR code in a picture; null when there is none, or it is no picture. */
export async function textOf(file: File): Promise<string | null> {
  try {
    const [{ detect }, picture] = await Promise.all([import("./detect"), createImageBitmap(file)]);
    return await detect(picture).finally(() => picture.close());
  } catch {
    return null;
  }
}
