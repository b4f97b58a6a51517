import { expect, test } from "vitest";
import { crc32, crc32c } from "./checksums.ts";

test("the checksums of the catalogues' text 123456789 are the catalogues'", () => {
  const bytes = new TextEncoder().encode("123456789");
  expect(crc32(bytes)).toBe(0xcbf43926);
  expect(crc32c(bytes)).toBe(0xe3069283);
});
