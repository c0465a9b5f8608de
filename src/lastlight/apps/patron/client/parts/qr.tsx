// A QR code: always dark on white, whatever the theme, since scanners expect it so.
import { useMemo } from "preact/hooks";
import { encode } from "uqr";

/** The quiet zone that the standard asks for, in modules. */
const QUIET = 4;

export function Qr({ text, label }: { text: string; label: string }) {
  const { size, path } = useMemo(() => draw(text), [text]);
  const box = `${-QUIET} ${-QUIET} ${size + 2 * QUIET} ${size + 2 * QUIET}`;
  return (
    <svg class="p-qr" viewBox={box} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect x={-QUIET} y={-QUIET} width="100%" height="100%" fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

/** One stroke for each run of dark modules in a row. */
function draw(text: string): { size: number; path: string } {
  const { data, size } = encode(text, { ecc: "L", border: 0 });
  let path = "";
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; ) {
      const from = x;
      while (x < size && data[y]![x]) x++;
      if (x > from) path += `M${from} ${y}h${x - from}v1h${from - x}z`;
      else x++;
    }
  }
  return { size, path };
}
