/** What every WorkSource promises: nothing that was not said by every instance is taken for known (rule 8). */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { WorkRequest, WorkSource } from '../../src/ports/work-source.ts';

/** A work source with the hands to make its instances say something. */
export interface WorkSourceUnderTest {
  readonly source: WorkSource;
  readonly request: Omit<WorkRequest, 'signal'>;
  /** The ids of the streams that are open, over all instances. */
  open(ids: readonly string[]): void;
  /** The instances stop answering, or answer again. */
  answering(does: boolean): void;
  /** Whether the instances were told to take no new work. */
  fenced(): boolean;
  close(): Promise<void>;
}

export function workSourceContract(name: string, start: () => Promise<WorkSourceUnderTest>): void {
  describe(`${name}, as a WorkSource`, () => {
    let world: WorkSourceUnderTest;
    beforeEach(async () => {
      world = await start();
    });
    afterEach(() => world.close());
    const request = (): WorkRequest => ({ ...world.request, signal: AbortSignal.timeout(5_000) });

    test('counts what is open, piece by piece', async () => {
      world.open(['a', 'b']);
      const count = await world.source.count(request());
      expect(count).toMatchObject({ kind: 'counted', total: 2, open: [{ id: 'a' }, { id: 'b' }] });
    });

    test('counts zero only where every instance said so', async () => {
      world.open([]);
      expect(await world.source.count(request())).toMatchObject({ kind: 'counted', total: 0, open: [] });
      world.answering(false);
      expect(await world.source.count(request())).toMatchObject({
        kind: 'unknown',
        reason: expect.stringMatching(/./),
      });
    });

    test('fences, and the same again is confirmed again; a lift takes it back', async () => {
      const confirmed = expect.objectContaining({ kind: 'confirmed' });
      expect(await world.source.fence(request())).toEqual(confirmed);
      expect(await world.source.fence(request())).toEqual(confirmed);
      expect(world.fenced()).toBe(true);
      expect(await world.source.lift(request())).toEqual(confirmed);
      expect(world.fenced()).toBe(false);
    });

    test('does not confirm what an instance did not confirm, and says why', async () => {
      world.answering(false);
      const refused = { kind: 'unconfirmed', reasons: [expect.stringMatching(/./)] };
      expect(await world.source.fence(request())).toEqual(refused);
      expect(await world.source.lift(request())).toEqual(refused);
    });
  });
}
