export { InputError, InternalError } from "./errors.ts";
