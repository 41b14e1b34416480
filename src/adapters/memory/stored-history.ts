/** The part of the Store port that is about the past, over a history in memory: what is given and answered are copies. */
import type { Measurement } from '../../model/measurement.ts';
import type { TrafficCount } from '../../model/traffic.ts';
import type { Store } from '../../ports/store.ts';
import { checkCoverage, checkMeasurements, checkRolloutQuery, checkTraffic } from '../history-rules.ts';
import type { MemoryHistory } from './history.ts';

export type StoredHistory = Pick<
  Store,
  | 'rollouts'
  | 'roll'
  | 'appendMeasurements'
  | 'measurements'
  | 'saveTraffic'
  | 'traffic'
  | 'saveCoverage'
  | 'coverage'
>;

export interface StoredHistoryOptions {
  /** Throws where nothing may be read any more. */
  readonly assertOpen: () => void;
  /** Throws where nothing may be written now. */
  readonly assertWritable: () => void;
  /** Told of what was added, where anything was. */
  readonly measured?: (measurements: readonly Measurement[]) => void;
  readonly counted?: (counts: readonly TrafficCount[]) => void;
}

export function storedHistory(history: MemoryHistory, options: StoredHistoryOptions): StoredHistory {
  const { assertOpen, assertWritable, measured, counted } = options;
  return {
    async rollouts(query) {
      assertOpen();
      checkRolloutQuery(query);
      return structuredClone(history.rollouts(query));
    },
    async roll(rollout) {
      assertOpen();
      return structuredClone(history.roll(rollout));
    },
    async appendMeasurements(measurements) {
      assertWritable();
      checkMeasurements(measurements);
      history.append(structuredClone(measurements));
      if (measurements.length > 0) measured?.(measurements);
    },
    async measurements(rollout) {
      assertOpen();
      return structuredClone(history.measurements(rollout));
    },
    async saveTraffic(counts) {
      assertWritable();
      checkTraffic(counts);
      history.saveTraffic(structuredClone(counts));
      if (counts.length > 0) counted?.(counts);
    },
    async traffic(query) {
      assertOpen();
      return structuredClone(history.traffic(query));
    },
    async saveCoverage(coverage) {
      assertWritable();
      checkCoverage(coverage);
      history.saveCoverage(structuredClone(coverage));
    },
    async coverage(query) {
      assertOpen();
      return structuredClone(history.coverage(query));
    },
  };
}
