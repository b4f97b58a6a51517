import { createHash } from "node:crypto";

export const sha256 = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex");

/** SHA-256 over the stored bytes of a safetensors file's tensors, in ascending order of their names. */
export function tensorsDigest(file: Uint8Array): string {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const header: Readonly<Record<string, { readonly data_offsets: readonly [number, number] }>> = JSON.parse(
    new TextDecoder().decode(file.subarray(8, 8 + length)),
  );
  const hash = createHash("sha256");
  for (const name of Object.keys(header)
    .filter((key) => key !== "__metadata__")
    .sort()) {
    const [from, to] = header[name]?.data_offsets ?? [0, 0];
    hash.update(file.subarray(8 + length + from, 8 + length + to));
  }
  return hash.digest("hex");
}
