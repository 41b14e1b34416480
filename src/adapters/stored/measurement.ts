/** The shape in which a measurement is kept: the data, and what was made of it. */
import type {
  Bucket,
  Judgement,
  MeasuredData,
  MeasuredOutcome,
  Measurement,
  Proportion,
} from '../../model/measurement.ts';
import { storedRolloutId, storedStepName } from './rollout.ts';
import {
  count,
  length,
  list,
  nullable,
  number,
  object,
  oneOf,
  optional,
  type Shape,
  tagged,
  text,
} from './shape.ts';
import { storedInstant, storedServiceName, storedVersionName } from './simple.ts';

const proportion: Shape<Proportion> = object<Proportion>({ events: length, total: length });
const buckets: Shape<readonly Bucket[]> = list(object<Bucket>({ upTo: nullable(number), count: length }));

const data: Shape<MeasuredData> = tagged<MeasuredData>({
  value: { candidate: number, baseline: optional(number) },
  ratio: { candidate: proportion, baseline: optional(proportion) },
  histogram: { candidate: buckets, baseline: optional(buckets) },
  answer: { answer: oneOf('approved', 'refused', 'undecided'), detail: text },
});

const outcome: Shape<MeasuredOutcome> = tagged<MeasuredOutcome>({
  Data: { data },
  NoData: { reason: text },
  Error: { reason: text },
});

const judgement: Shape<Judgement> = object<Judgement>({
  state: oneOf('Passed', 'Failed', 'Error', 'Inconclusive', 'NoData'),
  value: optional(number),
  baseline: optional(number),
  limit: text,
  samples: object<Judgement['samples']>({ candidate: length, baseline: optional(length) }),
  interval: optional(object({ low: number, high: number })),
  smallestEffect: optional(number),
  because: text,
});

/** Reads a stored measurement. */
export const storedMeasurement: Shape<Measurement> = object<Measurement>({
  rollout: storedRolloutId,
  attempt: count,
  step: storedStepName,
  check: text,
  service: storedServiceName,
  version: storedVersionName,
  baseline: optional(storedVersionName),
  at: storedInstant,
  window: object({ from: storedInstant, to: storedInstant }),
  queries: list(text),
  outcome,
  judgement,
});
