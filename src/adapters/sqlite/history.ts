/**
 * What a state file keeps of the past: the rollouts of services, their measurements, counts of requests, and when
 * somebody counted. All of it is bounded (ports/store.ts).
 */
import type { Measurement } from '../../model/measurement.ts';
import type { ServiceName } from '../../model/names.ts';
import type { Roll, RollRecord } from '../../model/parity.ts';
import { isOpen, ROLLOUT_STATES, type RolloutId, type RolloutRecord } from '../../model/rollout.ts';
import type { TrafficCount, TrafficCoverage } from '../../model/traffic.ts';
import { KEPT_ROLLOUTS, type RolloutQuery, type Store, TRAFFIC_KEPT } from '../../ports/store.ts';
import {
  byTime,
  checkCoverage,
  checkMeasurements,
  checkRolloutQuery,
  checkTraffic,
} from '../history-rules.ts';
import { storedMeasurement } from '../stored/measurement.ts';
import { storedRoll } from '../stored/roll.ts';
import { storedRollout } from '../stored/rollout.ts';
import { list } from '../stored/shape.ts';
import { storedCoverage, storedTrafficCount } from '../stored/traffic.ts';
import type { Rows, RowWriter } from './rows.ts';
import type { Row } from './seal.ts';
import { byRow, merged, packed, ROW_SPAN, type TrafficRow, unpacked } from './traffic-rows.ts';

const ENDED = ROLLOUT_STATES.filter((state) => !isOpen(state));
const trafficCounts = list(storedTrafficCount);

export class StoreHistory {
  readonly #rows: Rows;
  readonly #measurementsKept: number;

  constructor({ rows, measurementsKept }: { rows: Rows; measurementsKept: number }) {
    this.#rows = rows;
    this.#measurementsKept = measurementsKept;
  }

  /** Keeps a rollout that is committed with its service; beyond KEPT_ROLLOUTS the oldest go. */
  record(writer: RowWriter, rollout: RolloutRecord): void {
    const { id, service } = rollout;
    const body = JSON.stringify(rollout);
    const [known] = this.#rows.select('SELECT key, body FROM rollout WHERE id = :id', { id });
    if (known?.['body'] === body) return;
    if (known !== undefined) {
      writer.replace('rollout', { key: Number(known['key']), id, service, body });
      return;
    }
    writer.insert('rollout', { id, service, body });
    const tooMany = this.#rows.select(
      'SELECT id FROM rollout WHERE service = :service ORDER BY key DESC LIMIT -1 OFFSET :kept',
      { service, kept: KEPT_ROLLOUTS },
    );
    for (const row of tooMany) remove(writer, String(row['id']));
  }

  /** Keeps the roll of a rollout that is kept. */
  recordRoll(writer: RowWriter, record: RollRecord): void {
    if (!this.#isKept(record.rollout)) return;
    writer.replace('roll', { key: record.rollout, body: JSON.stringify(record) });
  }

  roll(rollout: RolloutId): Roll | undefined {
    return this.#rows.reading(() => {
      const [row] = this.#rows.select('SELECT key, body FROM roll WHERE key = :rollout', { rollout });
      return row === undefined
        ? undefined
        : this.#rows.parse(storedRoll, nameOf('roll', row), row['body']).roll;
    });
  }

  /** Drops all that is kept of a service. */
  forget(writer: RowWriter, service: ServiceName): void {
    const rollouts = this.#rows.select('SELECT id FROM rollout WHERE service = :service', { service });
    for (const row of rollouts) remove(writer, String(row['id']));
    writer.remove('traffic', 'WHERE service = :service', { service });
  }

  rollouts(query: RolloutQuery): readonly RolloutRecord[] {
    checkRolloutQuery(query);
    const { service, id, limit } = query;
    const conditions = [
      'key > 0',
      ...(service === undefined ? [] : ['service = :service']),
      ...(id === undefined ? [] : ['id = :id']),
    ];
    const parameters = { limit, ...(service !== undefined && { service }), ...(id !== undefined && { id }) };
    return this.#rows.reading(() =>
      this.#rows
        .select(
          `SELECT key, body FROM rollout WHERE ${conditions.join(' AND ')} ORDER BY key DESC LIMIT :limit`,
          parameters,
        )
        .map((row) => this.#rows.parse(storedRollout, nameOf('rollout', row), row['body'])),
    );
  }

  append(measurements: readonly Measurement[]): void {
    checkMeasurements(measurements);
    if (measurements.length === 0) return;
    this.#rows.writing((writer) => {
      const isKnown = new Map<RolloutId, boolean>();
      for (const measurement of measurements) {
        const { rollout } = measurement;
        if (!isKnown.has(rollout)) isKnown.set(rollout, this.#isKept(rollout));
        if (isKnown.get(rollout) === true) {
          writer.insert('measurement', { rollout, body: JSON.stringify(measurement) });
        }
      }
      this.#prune(writer);
    });
  }

  measurements(rollout: RolloutId): readonly Measurement[] {
    return this.#rows.reading(() =>
      this.#rows
        .select('SELECT key, body FROM measurement WHERE rollout = :rollout ORDER BY key', { rollout })
        .map((row) => this.#rows.parse(storedMeasurement, nameOf('measurement', row), row['body'])),
    );
  }

  saveTraffic(counts: readonly TrafficCount[]): void {
    checkTraffic(counts);
    if (counts.length === 0) return;
    this.#rows.writing((writer) => {
      for (const row of byRow(counts)) this.#mergeInto(writer, row);
      const [newest] = this.#rows.select('SELECT max(start) AS start FROM traffic');
      // A row goes when its last span has to.
      const oldest = Number(newest?.['start']) - TRAFFIC_KEPT - ROW_SPAN;
      writer.remove('traffic', 'WHERE start < :oldest', { oldest });
    });
  }

  traffic({ service, from, to }: Parameters<Store['traffic']>[0]): readonly TrafficCount[] {
    return this.#rows.reading(() =>
      this.#rows
        .select(
          'SELECT key, body FROM traffic WHERE service = :service AND start > :after AND start < :to ORDER BY start',
          {
            service,
            after: from - ROW_SPAN,
            to,
          },
        )
        .flatMap((row) => this.#countsIn(row))
        .filter((count) => count.from >= from && count.from < to)
        .toSorted(byTime),
    );
  }

  saveCoverage(coverage: TrafficCoverage): void {
    checkCoverage(coverage);
    this.#rows.writing((writer) => {
      writer.replace('coverage', { key: coverage.from, body: JSON.stringify(coverage) });
      writer.remove(
        'coverage',
        "WHERE body ->> '$.to' < (SELECT max(body ->> '$.to') FROM coverage) - :kept",
        { kept: TRAFFIC_KEPT },
      );
    });
  }

  coverage({ from, to }: Parameters<Store['coverage']>[0]): readonly TrafficCoverage[] {
    return this.#rows.reading(() =>
      this.#rows
        .select("SELECT key, body FROM coverage WHERE key < :to AND body ->> '$.to' > :from ORDER BY key", {
          from,
          to,
        })
        .map((row) => this.#rows.parse(storedCoverage, nameOf('coverage', row), row['body'])),
    );
  }

  #isKept(rollout: RolloutId): boolean {
    return this.#rows.select('SELECT 1 FROM rollout WHERE id = :rollout', { rollout }).length > 0;
  }

  /** Beyond the bound the measurements of ended rollouts go, those of the oldest first. */
  #prune(writer: RowWriter): void {
    if (writer.count('measurement') <= this.#measurementsKept) return;
    const ended = this.#rows.select(
      `SELECT id FROM rollout WHERE body ->> '$.state' IN ('${ENDED.join("', '")}') ORDER BY key`,
    );
    for (const row of ended) {
      if (writer.count('measurement') <= this.#measurementsKept) return;
      writer.remove('measurement', 'WHERE rollout = :rollout', { rollout: String(row['id']) });
    }
  }

  #mergeInto(
    writer: RowWriter,
    { service, start, counts }: TrafficRow & { readonly counts: readonly TrafficCount[] },
  ): void {
    const [known] = this.#rows.select(
      'SELECT key, body FROM traffic WHERE service = :service AND start = :start',
      {
        service,
        start,
      },
    );
    const body = packed(merged(known === undefined ? [] : this.#countsIn(known), counts));
    if (known === undefined) writer.insert('traffic', { service, start, body });
    else writer.replace('traffic', { key: Number(known['key']), service, start, body });
  }

  #countsIn(row: Row): readonly TrafficCount[] {
    return this.#rows.parse(trafficCounts, nameOf('traffic', row), unpacked(String(row['body'])));
  }
}

function remove(writer: RowWriter, rollout: string): void {
  writer.remove('rollout', 'WHERE id = :rollout', { rollout });
  writer.remove('measurement', 'WHERE rollout = :rollout', { rollout });
  writer.remove('roll', 'WHERE key = :rollout', { rollout });
}

function nameOf(table: string, row: Row): string {
  return `${table} ${String(row['key'])}`;
}
