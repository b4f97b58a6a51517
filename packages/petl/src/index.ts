export {
  type AdaptedModel,
  type Answer,
  countParameters,
  type Evaluation,
  type Example,
  type ExampleSet,
  type FloatType,
  type GeneratedToken,
  type GenerationSettings,
  InputError,
  joinSets,
  type Method,
  type MethodUse,
  methods,
  type ParameterCounts,
  type Phi,
  type Plan,
  type PlanOptions,
  type Pooling,
  RunError,
  type StepEvent,
  type Task,
  type TrainingEvent,
  type TrainingSettings,
  type TrainingState,
} from "@petl/core";
export type { HubEvent } from "./hub/hub.ts";
export {
  type Bank,
  type BankCompletion,
  type BankEntry,
  type BankLoadOptions,
  type BankOptions,
  type BankPrompt,
  type BankText,
  openBank,
} from "./library/bank.ts";
export { type EvaluateOptions, evaluate } from "./library/evaluate.ts";
export {
  type Completion,
  type CompletionOptions,
  complete,
  type GenerateOptions,
  generate,
  type PromptInput,
} from "./library/generate.ts";
export {
  adalora,
  bitfit,
  bottleneck,
  dora,
  full,
  head,
  ia3,
  llamaAdapter,
  lnTuning,
  loha,
  lokr,
  lora,
  type MethodFunction,
  parallel,
  prefix,
  prompt,
  topLayers,
  vera,
} from "./library/methods.ts";
export { type AdaptOptions, adaptTo, loadAdapter, type OpenModel, unadapted } from "./library/model.ts";
export { type OpenBase, type OpenBaseOptions, openBase } from "./library/open-base.ts";
export { type OpenData, type OpenDataOptions, openData } from "./library/open-data.ts";
export { type NamedPlanSource, plan } from "./library/plan.ts";
export { type PredictOptions, predict, predictWords, type TextInput, type WordsInput } from "./library/predict.ts";
export type { Purpose } from "./library/purpose.ts";
export { type QuantizeOptions, type QuantizeSummary, quantize } from "./library/quantize.ts";
export {
  type SaveMergedOptions,
  type SaveOnnxOptions,
  type SaveOptions,
  saveAdapter,
  saveMerged,
  saveOnnx,
} from "./library/save.ts";
export { type ScoreOptions, scoreTexts, type TextScores } from "./library/score-texts.ts";
export { type TrainOptions, train } from "./library/train.ts";
export { MachineError } from "./machine-error.ts";
export { type StudyEvent, type StudyOptions, study } from "./studies/study.ts";
