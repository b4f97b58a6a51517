/**
 * Arrays on memory of their own, which no other thread shares: what `of` gives. Types of TypeScript from 5.7 on say so as
 * `Uint8Array<ArrayBuffer>`, those before know no such parameter, and read this as the plain array.
 */
export type OwnBytes = ReturnType<Uint8ArrayConstructor["of"]>;
export type OwnUint16s = ReturnType<Uint16ArrayConstructor["of"]>;
export type OwnFloats = ReturnType<Float32ArrayConstructor["of"]>;
