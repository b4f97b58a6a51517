/** What the thread that computes needs of core: it starts while the rest is still being read. */
export { type ByteSource, type Folder, isPlainName } from "./containers/folder.ts";
export { InputError, InternalError } from "./errors.ts";
export type { EncodedGraph } from "./onnx/encode.ts";
export { type DeviceName, deviceOf, encodeProbe } from "./runtime/devices.ts";
export type { HeldMove, HeldNumbers, HeldSource, HeldTensor, SharedNumbers } from "./runtime/held.ts";
export { oneSession } from "./runtime/one-session.ts";
export { ortEngine } from "./runtime/ort.ts";
export type { Engine, Session, Tensors } from "./runtime/session.ts";
