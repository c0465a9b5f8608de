// Reads QR codes with ZXing, compiled to a module of our own build: loaded when the scanner opens, kept by the service worker.
import { BarcodeDetector, prepareZXingModule } from "barcode-detector/ponyfill";
import wasmUrl from "zxing-wasm/reader/zxing_reader.wasm";

prepareZXingModule({
  // Without this the module comes from a CDN.
  overrides: { locateFile: (path: string, prefix: string) => (path.endsWith(".wasm") ? wasmUrl : prefix + path) },
});

const detector = new BarcodeDetector({ formats: ["qr_code"] });

/** The text of a QR code in a video frame or a picture; null when there is none. */
export async function detect(source: HTMLVideoElement | ImageBitmap): Promise<string | null> {
  const found = await detector.detect(source);
  return found[0]?.rawValue ?? null;
}
