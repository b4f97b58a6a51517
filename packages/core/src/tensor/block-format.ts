/** How many bits a quantised weight may have. */
export const bitWidths = [4, 8] as const;

/** How many weights may form a block: what ONNX Runtime's MatMulNBits takes. */
export const blockSizes = [16, 32, 64, 128, 256] as const;

/** How a matrix is cut into blocks and rounded: neighbours of one row share a scale and a zero point. */
export interface BlockFormat {
  readonly bits: (typeof bitWidths)[number];
  readonly blockSize: (typeof blockSizes)[number];
}

/** What a row's length must be a multiple of, so that zero points fill whole bytes: of 4 bits two lie in a byte. */
export const rowUnit = ({ bits, blockSize }: BlockFormat): number => (blockSize * 8) / bits;
