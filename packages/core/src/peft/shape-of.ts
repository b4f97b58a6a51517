import type { AdaptedModel } from "./adapt.ts";

/** Equal for adapted models of one base whose graphs are equal, whatever their Φ. */
export const shapeOf = ({ methods, goal, layout, projections }: AdaptedModel): string =>
  JSON.stringify([
    methods.map(({ name, options }) => [name, options]),
    goal,
    layout.map(({ name, shape }) => [name, shape]),
    projections.map(({ name }) => name),
  ]);
