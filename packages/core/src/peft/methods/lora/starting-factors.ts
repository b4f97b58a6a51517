import { Matrix, QrDecomposition } from "ml-matrix";
import { InputError } from "../../../errors.ts";
import { truncatedSvd } from "../../../tensor/truncated-svd.ts";
import { type InitialContext, type Initializer, kaimingUniform, normal, zeros } from "../../parameter.ts";

/** Where LoRA's A: [rank, in] and B: [out, rank] may start. */
export const startNames = ["kaiming", "gaussian", "pissa", "olora", "eva"] as const;
export type StartName = (typeof startNames)[number];

/** A linear layer's weight as the checkpoint keeps it, and the update's rank and scale there. */
interface StartingSite {
  readonly path: string;
  readonly inSize: number;
  readonly outSize: number;
  /** whether the checkpoint keeps the weight as [in, out] */
  readonly transposed: boolean;
  readonly rank: number;
  readonly scale: number;
}

/** Initial values of the two factors. */
interface StartingFactors {
  readonly A: Initializer;
  readonly B: Initializer;
}

/**
 * - kaiming: A Kaiming-uniform, B zero (Hu et al. 2021, arXiv:2106.09685, as their code has it)
 * - gaussian: A ~ N(0, 1/rank²), B zero (the same, section 4.1)
 * - pissa: scale · B A is W's best approximation of that rank, U S Vᵀ: A = √(S/scale) Vᵀ, B = U √(S/scale)
 *   (Meng et al. 2024, arXiv:2404.02948, section 3)
 * - olora: W = Q R; B are Q's first columns and A is R's first rows (Büyükakyüz 2024, arXiv:2406.01775, section 3)
 * - eva: A are the directions in which the layer's inputs differ most on the data to train on, B zero; every layer has the
 *   rank that it is given (Paischer et al. 2024, arXiv:2410.07170, section 3, with ρ = 1)
 */
export function startingFactors(name: StartName, site: StartingSite): StartingFactors {
  switch (name) {
    case "kaiming":
      return { A: kaimingUniform, B: zeros };
    case "gaussian":
      return { A: normal(1 / site.rank), B: zeros };
    case "pissa":
      return decomposed(site, principalFactors);
    case "olora":
      return decomposed(site, orthonormalFactors);
    case "eva":
      return { A: dataDirections(site), B: zeros };
  }
}

/** Whether A and B start as a part of W, so that only what they change since then is added to the layer. */
export const startsFromWeight = (name: StartName): boolean => name === "pissa" || name === "olora";

/** Why a start is not possible with an alpha, which is the scale's sign and 0 where the scale is. */
export function alphaProblems(start: StartName, alpha: number): readonly string[] {
  const refused = (reason: string) => [
    `lora: alpha ${alpha} is not possible where weights start as ${start}: ${reason}`,
  ];
  if (start === "pissa" && alpha <= 0) return refused("it takes roots of S / scale, so that alpha has to be above 0");
  if ((start === "olora" || start === "eva") && alpha === 0)
    return refused("nothing learned would be added to a layer");
  return [];
}

/** @throws InputError where there are no data */
const dataDirections =
  (site: StartingSite): Initializer =>
  ({ directions }) => {
    if (directions) return directions(site.path, rankWithin(site.inSize, site));
    throw new InputError("the start eva comes from the data to train on, and here are none");
  };

interface Factors {
  readonly A: Matrix;
  readonly B: Matrix;
}

/** Both factors from one decomposition of the weight, made when the first of them is asked for. */
function decomposed(site: StartingSite, factorsOf: (W: Matrix, site: StartingSite) => Factors): StartingFactors {
  let factors: Promise<Factors> | undefined;
  const initial =
    (name: keyof Factors): Initializer =>
    async ({ read }) => {
      factors ??= readWeight(site, read).then((W) => factorsOf(W, site));
      return Float32Array.from((await factors)[name].to1DArray());
    };
  return { A: initial("A"), B: initial("B") };
}

/** W: [out, in] */
async function readWeight(site: StartingSite, read: InitialContext["read"]): Promise<Matrix> {
  const { path, inSize, outSize, transposed } = site;
  rankWithin(Math.min(inSize, outSize), site);
  const values = await read(`${path}.weight`);
  const [rows, columns] = transposed ? [inSize, outSize] : [outSize, inSize];
  const stored = new Matrix(
    Array.from({ length: rows }, (_, row) => values.subarray(row * columns, (row + 1) * columns)),
  );
  return transposed ? stored.transpose() : stored;
}

/** The site's rank. Throws InputError where it is larger than the number of directions that there are. */
function rankWithin(most: number, { path, rank, inSize, outSize }: StartingSite): number {
  if (rank <= most) return rank;
  throw new InputError(
    `lora: rank ${rank} is not possible on ${path}: its weight [${outSize}, ${inSize}] has no more than ${most} ` +
      "directions to start from",
  );
}

function principalFactors(W: Matrix, { rank, scale }: StartingSite): Factors {
  const { U, S, V } = truncatedSvd(W, rank);
  const roots = S.map((value) => Math.sqrt(value / scale));
  return { A: V.mulRowVector(roots).transpose(), B: U.mulRowVector(roots) };
}

/** Q's first columns depend on W's first columns alone, and R's first rows are Qᵀ W. */
function orthonormalFactors(W: Matrix, { rank }: StartingSite): Factors {
  const { orthogonalMatrix: B } = new QrDecomposition(W.subMatrix(0, W.rows - 1, 0, rank - 1));
  return { A: B.transpose().mmul(W), B };
}
