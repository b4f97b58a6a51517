export { InputError } from "@petl/core";
