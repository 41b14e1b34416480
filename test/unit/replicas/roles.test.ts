// Roles that come one after the other, whatever is wanted while they change.
import { describe, expect, test, vi } from 'vitest';
import { Roles } from '../../../src/replicas/roles.ts';

/** Roles that note when they begin and end; `hold` keeps the next one that leads from beginning. */
function stage() {
  const noted: string[] = [];
  let gate: Promise<void> = Promise.resolve();
  let failures = 0;
  const role = (name: string) => {
    noted.push(`${name} begins`);
    return {
      stop: async () => {
        await Promise.resolve();
        noted.push(`${name} ends`);
      },
    };
  };
  const problems: unknown[] = [];
  const roles = new Roles({
    lead: async (term) => {
      await gate;
      if (failures > 0) {
        failures -= 1;
        throw new Error('the store cannot be read');
      }
      return role(`term ${term}`);
    },
    follow: (leader) => role(`following ${leader === '' ? 'nobody' : leader}`),
    onProblem: (error) => problems.push(error),
  });
  return {
    roles,
    noted,
    problems,
    failOnce: () => {
      failures = 1;
    },
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
  };
}

describe('the roles of a replica', () => {
  test('begin with following nobody, and change one after the other', async () => {
    const { roles, noted } = stage();
    roles.want({ kind: 'Following', leader: 'a' });
    roles.want({ kind: 'Leading', term: 3 });
    await vi.waitFor(() => expect(roles.playing).toBe('Leading'));
    await roles.stop();
    expect(noted).toEqual([
      'following nobody begins',
      'following nobody ends',
      'term 3 begins',
      'term 3 ends',
    ]);
  });

  test('what is wanted already changes nothing', async () => {
    const { roles, noted } = stage();
    roles.want({ kind: 'Leading', term: 3 });
    roles.want({ kind: 'Leading', term: 3 });
    await vi.waitFor(() => expect(roles.playing).toBe('Leading'));
    roles.want({ kind: 'Leading', term: 3 });
    await roles.stop();
    expect(noted.filter((line) => line === 'term 3 begins')).toHaveLength(1);
  });

  test('a leader that is deposed while it begins ends before it follows', async () => {
    const { roles, noted, hold } = stage();
    const go = hold();
    roles.want({ kind: 'Leading', term: 3 });
    await vi.waitFor(() => expect(noted).toContain('following nobody ends'));
    roles.want({ kind: 'Following', leader: 'b' });
    go();
    await vi.waitFor(() =>
      expect(noted.slice(2)).toEqual(['term 3 begins', 'term 3 ends', 'following b begins']),
    );
    await roles.stop();
    expect(noted.at(-1)).toBe('following b ends');
  });

  test('one that cannot lead says why, follows nobody, and tries again', async () => {
    const { roles, noted, problems, failOnce } = stage();
    failOnce();
    roles.want({ kind: 'Leading', term: 3 });
    await vi.waitFor(() => expect(roles.playing).toBe('Leading'), { timeout: 5_000 });
    expect(String(problems)).toContain('the store cannot be read');
    await roles.stop();
    expect(noted).toEqual([
      'following nobody begins',
      'following nobody ends',
      'following nobody begins',
      'following nobody ends',
      'term 3 begins',
      'term 3 ends',
    ]);
  });

  test('one that was stopped takes no other', async () => {
    const { roles, noted } = stage();
    await roles.stop();
    roles.want({ kind: 'Leading', term: 3 });
    await roles.stop();
    expect(noted.filter((line) => line.startsWith('term'))).toEqual([]);
  });

  test('one that is not to be trusted any more is begun anew, once', async () => {
    const { roles, noted } = stage();
    roles.want({ kind: 'Leading', term: 3 });
    await vi.waitFor(() => expect(roles.playing).toBe('Leading'));
    roles.again();
    roles.again();
    await vi.waitFor(() =>
      expect(noted.filter((line) => line === 'term 3 begins').length).toBeGreaterThan(1),
    );
    await roles.stop();
    expect(noted.slice(2)).toEqual(['term 3 begins', 'term 3 ends', 'term 3 begins', 'term 3 ends']);
  });
});
