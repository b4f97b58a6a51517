import { InputError, loadAdapter as loadAdapterOf, type OpenBase, type OpenModel, shown } from "@petl/core";
import { directory } from "../disk/files.ts";
import { type LocateOptions, locate } from "./locate.ts";

/**
 * Puts a saved adapter on a base: a folder or a hub id, in Hugging Face PEFT's layout or petl's, or a checkpoint of the
 * whole model.
 *
 * @throws InputError with every missing, superfluous or misshapen tensor
 */
export async function loadAdapter(base: OpenBase, name: string, options: LocateOptions = {}): Promise<OpenModel> {
  if (typeof name !== "string" || name === "")
    throw new InputError(`adapter is ${shown(name)}; it must be a folder or a hub id`);
  return loadAdapterOf(base, directory(await locate(name, options)));
}
