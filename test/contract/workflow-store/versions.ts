/** What every workflow store must do with versions: who sees what, and commands that come from elsewhere. */
import { describe, expect, test } from 'vitest';
import { versionName } from '../../../src/model/names.ts';
import { type ExecutionId, openWork } from '../../../src/model/workflow.ts';
import { ACME, newEvent, newTask, slots, V1, V2, worker } from '../../support/workflow/builders.ts';
import {
  applied,
  claimed,
  claimedOne,
  claimedTasks,
  existing,
  failed,
  kinds,
  line,
  type MakeWorkflowDatabase,
  started,
  worldOf,
} from './world.ts';

const V3 = versionName('v3');

export function versionsContract(adapter: string, makeDatabase: MakeWorkflowDatabase): void {
  const world = worldOf(makeDatabase);

  describe(`a ${adapter} workflow store: compatibility`, () => {
    test('a manager sees the events of the versions that it names, and of no others', async () => {
      const store = await world.store();
      await started(store, { version: V1 });
      await started(store, { version: V2 });
      expect((await claimed(store, { versions: [V3] })).map(({ event }) => event.version)).toEqual([]);
      expect((await claimed(store, { versions: [V2] })).map(({ event }) => event.version)).toEqual([V2]);
      expect((await claimed(store, { versions: [V3, V1] })).map(({ event }) => event.version)).toEqual([V1]);
      expect(await claimed(store, { versions: [] })).toEqual([]);
    });

    test('all that a step makes carries the version of its execution, whoever applied it', async () => {
      const store = await world.store();
      const { id } = await started(store, { version: V1 });
      const claim = await claimedOne(store, { versions: [V2, V1] });
      const lease = { event: claim.event.id, token: claim.lease.token };
      await store.apply({
        lease,
        revision: 0,
        step: {
          data: 1,
          events: [newEvent('Next')],
          tasks: [newTask('build')],
          cancelTasks: [],
          cancelEvents: [],
          notes: [{ step: 'build', detail: 'began' }],
        },
        worker: worker(V2),
      });
      expect((await claimedOne(store)).event.version).toBe(V1);
      expect((await claimedTasks(store, [slots({ version: V1 })]))[0]?.task.version).toBe(V1);
      const written = (await store.history(id)).filter(
        ({ revision, kind }) => revision === 1 && kind !== 'TaskLeased',
      );
      expect(written.map(({ kind }) => kind)).toEqual([
        'Stepped',
        ...written.slice(1).map(({ kind }) => kind),
      ]);
      for (const entry of written) expect(entry).toMatchObject({ version: V1, worker: worker(V2) });
    });

    test('a version is compatible with itself, and with what it was declared to continue', async () => {
      const store = await world.store();
      expect(await store.compatibleVersions(V3)).toEqual([V3]);
      await store.declareContinuation({ version: V2, continues: [V1] });
      await store.declareContinuation({ version: V2, continues: [V1, V2] });
      await store.declareContinuation({ version: V3, continues: [V2] });
      expect(await store.compatibleVersions(V1)).toEqual([V1]);
      expect(await store.compatibleVersions(V2)).toEqual([V2, V1]);
      expect(await store.compatibleVersions(V3)).toEqual([V3, V2]);
      await store.declareContinuation({ version: V3, continues: [V1] });
      const [own, ...others] = await store.compatibleVersions(V3);
      expect(own).toBe(V3);
      expect(others.toSorted()).toEqual([V1, V2]);
    });
  });

  describe(`a ${adapter} workflow store: commands`, () => {
    test.each(['Cancel', 'Approve'] as const)(
      "%s that reaches another version is an event of the execution's version",
      async (kind) => {
        const store = await world.store();
        const execution = await started(store, { priority: 3 });
        await applied(store, await claimedOne(store));
        const before = await existing(store, execution.id);
        expect(
          await store.command({
            execution: execution.id,
            kind,
            payload: { step: 'gate' },
            by: 'ada',
            worker: worker(V2),
          }),
        ).toBe('Appended');
        expect(await existing(store, execution.id)).toEqual(before);
        expect(await claimed(store, { versions: [V2] })).toEqual([]);
        expect((await claimedOne(store)).event).toMatchObject({
          kind,
          payload: { step: 'gate' },
          version: V1,
          execution: execution.id,
          tenant: ACME,
        });
        expect(await line(store, execution.id, 'Commanded')).toMatchObject({
          step: kind,
          version: V1,
          worker: worker(V2),
          revision: 1,
          detail: expect.stringContaining('ada'),
        });
      },
    );

    test('a command for an execution that is not there finds nothing', async () => {
      const store = await world.store();
      expect(
        await store.command({
          execution: 'nobody' as ExecutionId,
          kind: 'Cancel',
          payload: null,
          by: 'ada',
          worker: worker(),
        }),
      ).toBe('NotFound');
    });

    test.each([
      { state: 'Running', allowed: ['Cancel', 'Approve'] },
      { state: 'Succeeded', allowed: [] },
      { state: 'Failed', allowed: ['Retry'] },
      { state: 'Cancelled', allowed: [] },
    ] as const)('of an execution that is $state, one may ask: $allowed', async ({ state, allowed }) => {
      const store = await world.store();
      const { id } = await started(store);
      await applied(store, await claimedOne(store), state === 'Running' ? {} : { end: { state, error: '' } });
      const lines = (await kinds(store, id)).length;
      for (const kind of ['Cancel', 'Approve', 'Retry'] as const) {
        const expected = (allowed as readonly string[]).includes(kind) ? 'Appended' : 'Refused';
        expect(await store.command({ execution: id, kind, payload: null, by: 'ada', worker: worker() })).toBe(
          expected,
        );
      }
      expect(await claimed(store)).toHaveLength(allowed.length);
      expect(await kinds(store, id)).toHaveLength(lines + allowed.length);
    });

    test('a fenced version takes commands for what is open, and no Retry', async () => {
      const store = await world.store();
      const running = await started(store);
      const over = await failed(store, { version: V2 });
      await store.fenceAndCount(V1);
      await store.fenceAndCount(V2);
      const asked = { payload: null, by: 'ada', worker: worker() };
      expect(await store.command({ ...asked, execution: running.id, kind: 'Cancel' })).toBe('Appended');
      expect(await store.command({ ...asked, execution: over.id, kind: 'Retry' })).toBe('Refused');
      expect(openWork(await store.count(V2))).toBe(0);
      await store.lift(V2);
      expect(await store.command({ ...asked, execution: over.id, kind: 'Retry' })).toBe('Appended');
    });
  });
}
