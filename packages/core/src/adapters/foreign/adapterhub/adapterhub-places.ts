/** The matrices of a fused attention layer in the order of its blocks. */
export const matrices = ["q", "k", "v"] as const;

/** The number of the layer in a tensor's name, that of its first `.name.N.` segment; undefined outside the stack. */
export function layerOf(name: string): number | undefined {
  const match = /\.[^.]+\.(\d+)(\.|$)/.exec(`.${name}`);
  return match ? Number(match[1]) : undefined;
}
