import { fileURLToPath } from "node:url";

/** The labelled data that come with petl: three tasks, and two users whose labels mean different things. */
export type BundledData = "messages" | "questions" | "reviews" | "users/midwife" | "users/cellist";

/** The folder of a bundled data set, with a train and a test file. */
export const bundledData = (name: BundledData): string => fileURLToPath(new URL(`../../data/${name}`, import.meta.url));
