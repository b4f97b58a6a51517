export { type AdapterFiles, readAdapter } from "./adapters/adapter-files.ts";
export {
  type AdapterOnBase,
  adapterOn,
  adapterRemarks,
  type LoadedAdapter,
  loadAdapterFiles,
  putOnBase,
} from "./adapters/adapter-on-base.ts";
export { type EncodedAdapter, encodeAdapter, isReadByPeft } from "./adapters/encode-adapter.ts";
export type { Encoded, ForeignFormat, Hints } from "./adapters/foreign/foreign-format.ts";
export { foreignFormats } from "./adapters/foreign/foreign-formats.ts";
export { onnxAdapter } from "./adapters/foreign/onnx-adapter/onnx-adapter.ts";
export { inferredBase } from "./adapters/inferred-base.ts";
export { loadPhi } from "./adapters/load-phi.ts";
export type { AdapterInfo } from "./adapters/petl-fields.ts";
export { encodeQuantized, type QuantizedFiles } from "./checkpoints/encode-quantized.ts";
export { type GenerationConfig, readGenerationConfig } from "./checkpoints/generation-config.ts";
export { type HfModel, readBase } from "./checkpoints/hf-model.ts";
export { isLlama2c, llama2cModel } from "./checkpoints/llama2c/llama2c.ts";
export { llama2cTokenizer } from "./checkpoints/llama2c/llama2c-tokenizer.ts";
export type { Quantization } from "./checkpoints/quantization.ts";
export { type UntrainedParts, untrainedTensors } from "./checkpoints/untrained.ts";
export { crc32, crc32c } from "./containers/checksums.ts";
export {
  askedOnce,
  type ByteSource,
  type Folder,
  isPlainName,
  memoryFolder,
  readJson,
  readText,
} from "./containers/folder.ts";
export { encodeSafetensors, safetensorsBytes } from "./containers/safetensors-writer.ts";
export { type Masking, maskTokens } from "./data/batches/masking.ts";
export { readExamples, readParts, readRows } from "./data/rows/columns.ts";
export { type EncodedExample, encodeExamples, type LossOn, lossParts } from "./data/rows/encode.ts";
export {
  changedRows,
  type EncodedRows,
  lengthsOf,
  rowsAt,
  type StoredRows,
  someRows,
} from "./data/rows/encoded-rows.ts";
export { type Example, type ExampleSet, isLabelled, joinSets, type Label, weightedSet } from "./data/rows/examples.ts";
export { type FedRows, type FeedOptions, feedRows, someOf } from "./data/rows/fed-rows.ts";
export { type FeedReport, feedReport, type ShownRow } from "./data/rows/feed-report.ts";
export { holdOut, holdOutBlocks } from "./data/rows/hold-out.ts";
export {
  checkLabels,
  distinctLabels,
  type LabelMap,
  labelMap,
  labelNames,
  labelsOf,
  learnLabels,
} from "./data/rows/labels.ts";
export { chatTemplateOf } from "./data/rows/message-rows.ts";
export { nextTokens } from "./data/rows/next-tokens.ts";
export { type PackedRow, type Paragraph, packSentences, packTokens } from "./data/rows/pack-rows.ts";
export type { ByteKeeper } from "./data/rows/packed-texts.ts";
export { type Conversation, type Prompt, promptsOf } from "./data/rows/prompts.ts";
export { rowRemarks } from "./data/rows/row-remarks.ts";
export { shownLabel } from "./data/rows/shown-label.ts";
export type { TargetRule } from "./data/rows/target.ts";
export { guessTask } from "./data/rows/task.ts";
export { countsWithout, unigramLoss } from "./data/rows/unigram.ts";
export { writtenRows } from "./data/rows/written-rows.ts";
export type { ColumnChoice } from "./data/tables/choose-columns.ts";
export { type ClassFile, classFiles, classFolders, classTable, wholeText } from "./data/tables/class-folders.ts";
export {
  chooseDataFiles,
  type DataConfig,
  type DataFiles,
  type WantedData,
} from "./data/tables/data-set.ts";
export { mostUnpacked } from "./data/tables/gzip.ts";
export type { Pause } from "./data/tables/in-steps.ts";
export type { ReadOptions } from "./data/tables/read-options.ts";
export { extensionOf, readTable, tableExtensions } from "./data/tables/readers.ts";
export { rangedParts, streamTable } from "./data/tables/streams.ts";
export type { Table } from "./data/tables/table.ts";
export type { ChatMessage } from "./data/tokenizer/chat-template.ts";
export { loadTokenizer, type Tokenizer } from "./data/tokenizer/tokenizer.ts";
export { type TokenizerFiles, tokenizerFileNames } from "./data/tokenizer/tokenizer-file-names.ts";
export {
  type TokenizerKind,
  type TokenizerTraining,
  type TrainedTokenizer,
  tokenizerKinds,
  trainTokenizer,
} from "./data/tokenizer/train-tokenizer.ts";
export { turnEnd } from "./data/tokenizer/turn-end.ts";
export {
  InputError,
  InternalError,
  RunError,
  type Schema,
  type SchemaIssue,
  schemaProblems,
  shown,
  suggestion,
} from "./errors.ts";
export { type CheckpointFiles, encodeFull, encodeMerged, encodeTrained, type MergeOptions } from "./exports/merged.ts";
export { encodeOnnx, encodeOnnxForAdapters, type OnnxFiles, type OnnxOptions } from "./exports/onnx-file.ts";
export { type FloatType, floatTypes } from "./exports/task-config.ts";
export { drawFigure } from "./figures/draw.ts";
export { type Figure, tableOf } from "./figures/figure.ts";
export { type GenerationSettings, generationSettings, parseGenerationSettings } from "./generation/settings.ts";
export type { GeneratedToken } from "./generation/texts.ts";
export { textAnswer, tokenAnswers, withBest } from "./library/answers.ts";
export { requireBase, requireFolder, requireModel, requireOptions, requireUsers } from "./library/check.ts";
export { type Comparison, compare } from "./library/compare.ts";
export { type EmbedOptions, embed, textVector } from "./library/embed.ts";
export { encodeRows, fedRows, type RowLimits, rowLimits, targetRuleOf } from "./library/encode-rows.ts";
export { type EvaluateOptions, evaluate, measurable } from "./library/evaluate.ts";
export {
  type Completion,
  type CompletionOptions,
  complete,
  type GenerateOptions,
  generate,
  idsOf,
  type PromptInput,
} from "./library/generate.ts";
export { drawRows, holdOutRows } from "./library/hold-out.ts";
export { programKey } from "./library/kept-programs.ts";
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
  subspace,
  topLayers,
  vera,
} from "./library/methods.ts";
export {
  type AdaptOptions,
  type AdaptPurpose,
  adaptTo,
  type BaseGoal,
  goalOf,
  headless,
  loadAdapter,
  type OpenModel,
  unadapted,
  withTrainedHead,
} from "./library/model.ts";
export {
  type CardPart,
  type CardSubject,
  cardParts,
  modelCard,
  mostFrequent,
  type TrainingFacts,
} from "./library/model-card.ts";
export { nextSteps, type TrainingEnd } from "./library/next-steps.ts";
export {
  type BaseSource,
  type ClosableEngine,
  type OpenBase,
  openBase,
  openTokenizer,
  tokenizerFilesOf,
} from "./library/open-base.ts";
export {
  type DataSource,
  type GuessedTask,
  type OpenData,
  type OpenDataOptions,
  openData,
  type Splits,
} from "./library/open-data.ts";
export { maskedOnce, maskingOf } from "./library/plain-text.ts";
export {
  asRead,
  asReadInSteps,
  logitsOf,
  type PredictOptions,
  predict,
  predictionsOf,
  predictWords,
  type RowsRead,
  topKSetting,
  type WordsInput,
} from "./library/predict.ts";
export { baseFor, findPurpose, namesOf, type Purpose } from "./library/purpose.ts";
export { type RecipeName, recipeMethod, recipeSettings } from "./library/recipes.ts";
export { type Message, type Row, type Rows, readGiven } from "./library/rows.ts";
export { type RunWatch, watchTraining } from "./library/run-remarks.ts";
export { type ScoreOptions, scoreTexts, type TextScores } from "./library/score-texts.ts";
export {
  adaptSettings,
  batchSettings,
  cacheSettings,
  columnSettings,
  purposeSettings,
  tokenSettings,
} from "./library/settings.ts";
export type { TextInput, TextRow } from "./library/texts.ts";
export { type PreparedTraining, prepareTraining, type TrainData, type TrainOptions, train } from "./library/train.ts";
export { type ManyEvent, type TrainUser, trainMany } from "./library/train-many.ts";
export { openTrainer, type Trainer, type TrainerStep } from "./library/trainer.ts";
export type { RowsLoss, TrainerOptions } from "./library/trainer-gradient.ts";
export { labelCount, taskOf } from "./models/models.ts";
export { type Head, type HeadKind, heads, type Sizes } from "./nn/model.ts";
export { type Pooling, poolings } from "./nn/pooling.ts";
export { type ClassWeights, classWeightsOf } from "./objectives/labels/class-weights.ts";
export type { Answer, Metric, Objective, OneLabel, OneNumber, SeveralLabels } from "./objectives/objective.ts";
export {
  headlessTask,
  isLanguageModel,
  metricsOf,
  objectiveOf,
  objectiveOfHead,
  objectives,
  outputsFor,
  type Task,
  tasks,
} from "./objectives/objectives.ts";
export type { EncodedGraph } from "./onnx/encode.ts";
export * as protobuf from "./onnx/protobuf.ts";
export { type AdaptedModel, adapt } from "./peft/adapt.ts";
export { type Adapter, namedLabels } from "./peft/adapter.ts";
export { aloneBecause } from "./peft/alone-because.ts";
export type { Base } from "./peft/base.ts";
export { countParameters, type ParameterCounts } from "./peft/counts.ts";
export { firstChanged } from "./peft/first-change.ts";
export type { Goal } from "./peft/goal.ts";
export { initialPhi, startsFromData } from "./peft/initial-phi.ts";
export { canJoin, type JoinedKinds, joinKinds, joinParts } from "./peft/joined.ts";
export { announcedKindNames, listSites } from "./peft/list-sites.ts";
export { longestRow, trainedRow } from "./peft/longest-row.ts";
export type { Method, MethodOf, MethodUse } from "./peft/method.ts";
export { methods, methodsByName } from "./peft/methods.ts";
export type { OptionInputs, Options } from "./peft/options.ts";
export { type Phi, takeTensors, tensorsOf } from "./peft/phi.ts";
export { shapeOf } from "./peft/shape-of.ts";
export { isWithin } from "./peft/targets.ts";
export { type Places, placesOfBase } from "./planning/places.ts";
export type { MethodPlan, PlacedPlan, Plan } from "./planning/plan.ts";
export { loadSettings, type PlanOptions } from "./planning/plan-options.ts";
export { type PlanHost, type PlanSource, plan, planFor } from "./planning/plan-source.ts";
export { type BaseShape, shapedArchitectures } from "./planning/shaped-config.ts";
export { sizeWithin } from "./planning/size-within.ts";
export { type TrainingMemory, trainingMemory } from "./planning/training-memory.ts";
export { type Activations, activationTypes } from "./runtime/activations.ts";
export { type DeviceName, deviceNames } from "./runtime/devices.ts";
export { type Ort, ortEngine } from "./runtime/ort.ts";
export { compile, type Program } from "./runtime/program.ts";
export type { Engine, Session, Tensors } from "./runtime/session.ts";
export { type Bleu, type BleuOptions, corpusBleu } from "./scoring/bleu.ts";
export { exactMatch } from "./scoring/exact-match.ts";
export { rougeL } from "./scoring/rouge-l.ts";
export type { ScoredText } from "./scoring/scored-text.ts";
export { byteSize } from "./settings/bytes.ts";
export {
  choice,
  count,
  type DefaultedSetting,
  fraction,
  innerFraction,
  natural,
  needed,
  nonnegative,
  positive,
  probability,
  real,
  reasonOf,
  type Setting,
  setting,
  share,
  text,
  textList,
  texts,
  toggle,
} from "./settings/setting.ts";
export {
  grouped,
  helpOf,
  pickSettings,
  readSettings,
  type SettingInputs,
  type Settings,
  type SettingValues,
} from "./settings/settings.ts";
export { bootstrap, holm } from "./statistics/bootstrap.ts";
export { overlaps, type Share, shareRight } from "./statistics/interval.ts";
export type { Bench, Fitted, Scored } from "./studies/bench.ts";
export { budgetSizes, sizedOptions, usualOptions } from "./studies/recipes.ts";
export { canonical, sameCell } from "./studies/rows.ts";
export { studySettings } from "./studies/settings.ts";
export { studies } from "./studies/studies.ts";
export {
  type Budget,
  budgets,
  type Cell,
  type Finding,
  type Fit,
  type FitRows,
  isWaiting,
  type Job,
  type Json,
  type Measured,
  type Outcomes,
  type PlannedCell,
  type Setup,
  type Study,
  type StudyRecord,
} from "./studies/study.ts";
export { type Summary, summarise, takenAmong, takenText } from "./studies/summary.ts";
export { type BlockFormat, bitWidths, blockSizes } from "./tensor/block-format.ts";
export { strangeNumber } from "./tensor/finite.ts";
export { float16FromFloat32, float32FromFloat16 } from "./tensor/half.ts";
export { float32, type HostTensor } from "./tensor/host-tensor.ts";
export type { Lender } from "./tensor/lender.ts";
export { principalComponents } from "./tensor/principal-components.ts";
export { random } from "./tensor/random.ts";
export { type CacheChoice, type CacheMode, type CacheOptions, cacheModes } from "./training/cache.ts";
export {
  type CompiledEvaluation,
  compileEvaluation,
  type Evaluation,
  type EvaluationOptions,
  type LogitsObserver,
} from "./training/evaluate.ts";
export { inputDirections } from "./training/input-directions.ts";
export { type AskedRow, compileMixedRows, type MixedRowProgram } from "./training/mixed-rows.ts";
export { optimizerNames } from "./training/optimizers.ts";
export { planRun } from "./training/plan-run.ts";
export { predictions } from "./training/predict.ts";
export { compileRows, inputOf, type Prediction, type RowOutput, type RowProgram } from "./training/row-program.ts";
export { memoryStore, type RowStore } from "./training/row-store.ts";
export { schedules } from "./training/schedules.ts";
export {
  parseSettings,
  type TrainingInputs,
  type TrainingSettings,
  teachingSettings,
  trainingSettings,
} from "./training/settings.ts";
export type { TrainingState } from "./training/state.ts";
export { compileStep, type TrainingStep } from "./training/step.ts";
export { type StopSignal, throwIfStopped } from "./training/stop-signal.ts";
export { compileTextVectors, type TextVectors } from "./training/text-vectors.ts";
export { type Together, together } from "./training/together.ts";
export { type StepEvent, type TrainingEvent, type TrainingRun, trainSteps } from "./training/train.ts";
export { isRecord, parsedJson } from "./values.ts";
