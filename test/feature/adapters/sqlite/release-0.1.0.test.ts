/**
 * The state file that release 0.1.0 wrote opens with what it meant, and goes back to that release as long as no record
 * holds what it cannot read. test/golden/state/0.1.0.json has the rows of a file that 0.1.0 itself wrote.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { MIGRATIONS } from '../../../../src/adapters/sqlite/migrations.ts';
import { openVerified } from '../../../../src/adapters/sqlite/open.ts';
import { NO_DELEGATES } from '../../../../src/model/delegates.ts';
import { instant } from '../../../../src/model/instant.ts';
import type { ServiceRecord } from '../../../../src/model/state.ts';
import { parseServices } from '../../../../src/spec/parse.ts';
import { oldState, rowsOf, writeOldState } from '../../../support/old-state-file.ts';
import { holdingIn, readHolding, temporaryFolder, withContent } from '../../../support/store-folder.ts';
import { measurement, recordWith, rolloutRecord } from '../../../support/stored-history.ts';

const state = oldState('0.1.0');
/** What release 0.1.0 knew. */
const FORMS_OF_0_1_0 = MIGRATIONS.slice(0, 1);
/** What release 0.2.0 knew. */
const FORMS_OF_0_2_0 = MIGRATIONS.slice(0, 2);

function oldFile(): string {
  const file = join(temporaryFolder(), 'state.db');
  writeOldState(state, file);
  return file;
}

/** The copy that is made of it before it gets the present form. */
const copyOf = (file: string) => `${file}.before-migration-${MIGRATIONS.length}`;

function bodyOf(service: string): ServiceRecord {
  const row = rowsOf(state, 'service').find(({ key }) => key === service);
  return JSON.parse(String(row?.['body'])) as ServiceRecord;
}

function rowsIn(file: string, table: string): unknown[] {
  const database = new DatabaseSync(file, { readOnly: true });
  const rows = database.prepare(`SELECT key, body FROM ${table} ORDER BY key`).all();
  database.close();
  return rows;
}

describe('a state file of 0.1.0', () => {
  test('opens with all that it held; what it did not know is the default, and nothing is promoted by itself', () => {
    const { state: read, events, rollouts } = readHolding(oldFile());
    expect(read.nextPublication).toBe(21);
    expect(events.map(({ action }) => action)).toEqual(['Apply', 'AcceptEmpty']);
    expect(rollouts).toEqual([]);
    for (const record of read.services) {
      const written = bodyOf(record.name);
      const { spec, ...rest } = written;
      expect(record).toEqual({
        ...rest,
        spec: {
          ...spec,
          listeners: spec.listeners.map((listener) => ({ ...listener, accessLog: false })),
          traffic: {
            ...spec.traffic,
            stepDuration: 0,
            promotion: 'Manual',
            approvals: [],
            progressDeadline: 600_000,
            windows: [],
          },
          retention: { keep: 2, max: 3 },
          notifications: [],
          delegates: NO_DELEGATES,
        },
      });
    }
  });

  test('has the specs that its documents give today', () => {
    for (const record of readHolding(oldFile()).state.services) {
      const { services, problems } = parseServices({ file: 'state', text: record.document });
      expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(services.map(({ spec }) => spec)).toEqual([record.spec]);
    }
  });

  test('is copied before it gets its new tables, and the copy is as it was', () => {
    const file = oldFile();
    withContent(file, () => {});
    const copy = copyOf(file);
    for (const table of ['meta', 'service', 'proxy', 'event']) {
      expect(rowsIn(copy, table)).toEqual(rowsOf(state, table).map(({ key, body }) => ({ key, body })));
    }
    withContent(file, () => {});
    expect(existsSync(`${copy}-2`)).toBe(false);
  });

  test('goes on: rollouts and measurements are kept, and it can go back to 0.1.0', () => {
    const file = oldFile();
    const rollout = rolloutRecord({});
    withContent(file, (content) => {
      content.commit({ services: [recordWith(rollout, 2)] });
      content.history.append([measurement(rollout.id, 1)]);
    });
    openVerified({ file, migrations: FORMS_OF_0_1_0 }).close();
    openVerified({ file, migrations: FORMS_OF_0_2_0 }).close();
    expect(readHolding(file).rollouts).toEqual([{ rollout, measurements: [measurement(rollout.id, 1)] }]);
  });

  test.each([
    { kind: 'grpc' },
    {
      kind: 'promql',
      query: 'open_work',
      prometheus: { url: 'http://127.0.0.1:9090', scrapeInterval: 5_000, timeout: 1_000 },
      instanceLabel: 'instance',
      quietFor: 10_000,
    },
  ] as const)(
    'is refused by 0.1.0 when a drain source is $kind, which that would take for damage',
    (source) => {
      const file = oldFile();
      withContent(file, (content) => {
        const record = content.load().services[0];
        if (record === undefined) throw new Error('the file has services');
        const spec = { ...record.spec, drain: { source } };
        content.commit({ services: [{ ...record, spec, generation: record.generation + 1 }] });
      });
      expect(() => openVerified({ file, migrations: FORMS_OF_0_1_0 })).toThrow(
        expect.objectContaining({
          reason: 'TooNew',
          message: expect.stringContaining(`switchyard restore ${copyOf(file)}`),
        }),
      );
      expect(readHolding(file).state.services[0]?.spec.drain.source).toEqual(source);
    },
  );

  test.each([
    ['a drain source is workflow', { drain: { source: { kind: 'workflow' } } }],
    [
      'a service runs on Kubernetes',
      {
        runtime: {
          kind: 'kubernetes',
          pods: { kind: 'template', template: { spec: { containers: [{ name: 'manager' }] } } },
          port: 'http',
          replicas: 2,
          autoscaling: { min: 2, max: 9, cpuPercent: 80 },
          maxUnavailable: '25%',
        },
      },
    ],
    ['a service has delegates', { delegates: { ...NO_DELEGATES, source: { kind: 'grpc' } } }],
  ] as const)('is refused by 0.2.0 too when %s, which it would take for damage or leave out', (_, wishes) => {
    const file = oldFile();
    withContent(file, (content) => {
      const record = content.load().services[0];
      if (record === undefined) throw new Error('the file has services');
      content.commit({
        services: [{ ...record, spec: { ...record.spec, ...wishes }, generation: record.generation + 1 }],
      });
    });
    expect(() => openVerified({ file, migrations: FORMS_OF_0_2_0 })).toThrow(
      expect.objectContaining({ reason: 'TooNew' }),
    );
    expect(readHolding(file).state.services[0]?.spec).toMatchObject(wishes);
  });

  test('a service that 0.1.0 deleted and somebody makes again has no past', () => {
    const file = oldFile();
    const rollout = rolloutRecord({ generation: 2 });
    withContent(file, (content) => content.commit({ services: [recordWith(rollout, 2)] }));
    // 0.1.0 takes the row away, keeps up the sum, and knows nothing of rollouts.
    withContent(file, (content) => {
      content.commit({ deletions: [{ name: rollout.service, generation: 2 }], rollouts: [] });
      content.commit({ services: [recordWith(rollout, 1)] });
      content.commit({ deletions: [{ name: rollout.service, generation: 1 }], events: [] });
    });
    withContent(file, (content) => {
      const { rollout: _, ...without } = recordWith(rollout, 1);
      content.commit({ services: [without] });
      expect(holdingIn(content).rollouts).toEqual([]);
      expect(
        content.history.traffic({ service: rollout.service, from: instant(0), to: instant(9e15) }),
      ).toEqual([]);
    });
  });
});
