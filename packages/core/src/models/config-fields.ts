import { z } from "zod";

/**
 * Sizes of a configuration, from anyone: at most what no model comes near, so that nothing is allocated by a number alone.
 * How many layers there are decides how much is built before a weight is looked at; what is wider than the weights are is
 * refused by their shapes.
 */
const size = (most: number) => z.int().positive().max(most);
export const layerCount = size(1024);
export const headCount = size(2 ** 14);
/** the length of hidden states, of a head, of what is between two layers */
export const width = size(2 ** 20);
/** tokens of a vocabulary */
export const vocabularySize = size(2 ** 21);
/** rows of a table of kinds of text or of positions */
export const tableRows = size(2 ** 26);
