/** `0.37 %` */
export const percentText = (ratio: number): string => `${Number((100 * ratio).toPrecision(2))} %`;

const steps = [
  [1e12, "TB"],
  [1e9, "GB"],
  [1e6, "MB"],
  [1e3, "kB"],
] as const;

/** `1.4 MB`, in powers of 1000 */
export function sizeText(bytes: number): string {
  const [factor, unit] = steps.find(([size]) => bytes >= size) ?? [1, "bytes"];
  return `${Number((bytes / factor).toPrecision(3))} ${unit}`;
}
