import { palette, plainHtml } from "../reports/page.ts";

export const label = (x: number, y: number, anchor: "start" | "middle" | "end", text: string): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${plainHtml(text)}</text>`;

interface Line {
  readonly from: readonly [x: number, y: number];
  readonly to: readonly [x: number, y: number];
}

export const line = ({ from, to }: Line, color: string, width: number): string =>
  `<path d="M${from.map(fixed).join(" ")}L${to.map(fixed).join(" ")}" stroke="${color}" stroke-width="${width}"/>`;

const fixed = (value: number) => value.toFixed(1);

/** A figure within a page, whose style it takes. It is drawn for a phone's width, so that its letters are large there. */
export const figure = (height: number, title: string, parts: readonly string[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 ${height}" role="img" aria-label="${plainHtml(title)}">${parts.join("")}</svg>`;

/** The same figure as a file of its own, with its colours and a ground. */
export const svgFile = (svg: string): string =>
  svg.replace(
    />/,
    `><style>${palette} text { fill: var(--ink); font: 15px system-ui, sans-serif; }</style><rect width="100%" height="100%" fill="var(--back)"/>`,
  );
