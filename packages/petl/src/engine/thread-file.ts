/**
 * The compiled file that a thread begins with, by its place among the modules; tests that run the sources take the one of the
 * build.
 * @param module the address of a module in one of the folders
 */
export const threadFile = (module: string, place: string): URL =>
  new URL(`${module.endsWith(".ts") ? "../../dist" : ".."}/${place}`, module);
