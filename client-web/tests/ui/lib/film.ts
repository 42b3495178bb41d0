// A film for Chromium's camera: somebody holds a picture before it, at an angle, in poor light.
import { readFileSync, writeFileSync } from "node:fs";
import type { Browser } from "playwright-core";

const WIDTH = 640;
const HEIGHT = 480;
const FRAMES = 6;

/** Writes the PNG as a film (YUV4MPEG2): an empty table first, then the picture, turned, grey and grainy. */
export async function film(browser: Browser, png: string, to: string): Promise<void> {
  const page = await browser.newPage();
  const source = `data:image/png;base64,${readFileSync(png).toString("base64")}`;
  const greys = await page.evaluate(draw, { source, width: WIDTH, height: HEIGHT });
  await page.close();
  const chroma = Buffer.alloc((WIDTH * HEIGHT) / 2, 128);
  const table = Buffer.alloc(WIDTH * HEIGHT, 90);
  const parts = [Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`)];
  for (let i = 0; i < FRAMES; i++) {
    const light = i === 0 ? table : Buffer.from(greys);
    parts.push(Buffer.from("FRAME\n"), light, chroma);
  }
  writeFileSync(to, Buffer.concat(parts));
}

/** Runs in the page: the lightness of each dot. */
async function draw(of: { source: string; width: number; height: number }): Promise<number[]> {
  const image = new Image();
  image.src = of.source;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = of.width;
  canvas.height = of.height;
  const c = canvas.getContext("2d")!;
  c.fillStyle = "#5a5a5a";
  c.fillRect(0, 0, of.width, of.height);
  c.translate(of.width / 2 + 20, of.height / 2 - 10);
  c.rotate(0.2);
  c.transform(1, 0.06, -0.04, 0.97, 0, 0);
  c.drawImage(image, -170, -170, 340, 340);
  const { data } = c.getImageData(0, 0, of.width, of.height);
  let seed = 1;
  const grain = () => ((seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648 - 0.5) * 24;
  const greys: number[] = [];
  for (let i = 0; i < data.length; i += 4) greys.push(Math.max(0, Math.min(255, 40 + data[i] * 0.65 + grain())));
  return greys;
}
