import { InputError } from "../../../errors.ts";

/** @throws InputError when a vocabulary has no room for what stands in it from the start. */
export function refuseSmaller(size: number, smallest: number): void {
  if (size >= smallest) return;
  throw new InputError(
    `a vocabulary of ${size} is too small; special tokens, single characters and given words alone are ${smallest}`,
  );
}
