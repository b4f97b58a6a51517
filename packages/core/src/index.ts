export { InputError, InternalError } from "./errors.ts";
export { type ByteSource, type Folder, isPlainName } from "./formats/folder.ts";
