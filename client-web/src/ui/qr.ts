// Reads a QR code from the camera's picture: with the browser's own reader where it has one, else with a
// library that is fetched when somebody scans.
interface Detector {
  detect(source: CanvasImageSource): Promise<{ rawValue: string }[]>;
}
interface DetectorClass {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}

/** What a code in the picture says; null when there is none to be read. */
export type QrReader = (video: HTMLVideoElement) => Promise<string | null>;

/** Whether this page may ask for a camera at all: only over TLS, or on this machine. */
export const hasCamera = (): boolean => typeof navigator.mediaDevices?.getUserMedia === "function";

/** The longest side that is looked at: a code that fills a third of it still has 4 dots a module. */
const LOOK_PX = 800;

export async function qrReader(): Promise<QrReader> {
  const own = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  if (own && (await own.getSupportedFormats().catch((): string[] => [])).includes("qr_code")) {
    const detector = new own({ formats: ["qr_code"] });
    return async (video) => (await detector.detect(video).catch(() => []))[0]?.rawValue ?? null;
  }
  const { decodeQR } = await import("qr/decode.js");
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  return async (video) => {
    const { videoWidth: w, videoHeight: h } = video;
    if (!w || !h) return null; // no picture yet
    const scale = Math.min(1, LOOK_PX / Math.max(w, h));
    canvas.width = Math.round(w * scale);
    canvas.height = Math.round(h * scale);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    try {
      return decodeQR(context.getImageData(0, 0, canvas.width, canvas.height));
    } catch {
      return null; // nothing in this picture
    }
  };
}
