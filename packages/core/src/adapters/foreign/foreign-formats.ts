import { adapterHub } from "./adapterhub/adapterhub.ts";
import type { ForeignFormat } from "./foreign-format.ts";
import { gguf } from "./gguf/gguf.ts";
import { loralib } from "./loralib.ts";
import { mlx } from "./mlx.ts";
import { onnxAdapter } from "./onnx-adapter/onnx-adapter.ts";

/** Every layout of other programs: one file or folder beside this one, one line here. */
export const foreignFormats: readonly ForeignFormat[] = [adapterHub, loralib, mlx, gguf, onnxAdapter];
