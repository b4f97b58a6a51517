import { meanOver } from "../statistics/bootstrap.ts";
import type { Cell } from "./study.ts";

/** A kind of matrix in words: the base's, an update or a tuned one, with the method that made it. */
export const nameOf = ({ matrix, method, rank }: Cell): string =>
  matrix === "base" ? "base" : `${matrix}, ${method}${rank === undefined ? "" : ` of rank ${rank}`}`;

/** The mean of some numbers, and the range of their middle 90 %. */
export function middleRange(name: string, numbers: readonly number[]) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return { name, mean: meanOver(numbers), low: at(0.05), high: at(0.95) };
}

/** Fewer sites decide nothing. */
export const leastSites = 5;
