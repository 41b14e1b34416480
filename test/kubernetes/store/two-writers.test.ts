// Two replicas in two processes, of which the leader is stopped between its look whether it leads and its write, and resumed
// when the other one leads.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { SERVICE_ROUTING } from '../../../src/adapters/kubernetes/custom-resources.ts';
import type { RoutingObject } from '../../../src/adapters/kubernetes/store/routing-object.ts';
import { type StateNamespace, stateNamespace } from '../../support/kubernetes/state-namespace.ts';

const PROGRAM = fileURLToPath(new URL('../../support/programs/kubernetes-store-writer.ts', import.meta.url));

/** A line that the program wrote; which fields it has its kind says. */
interface Line {
  readonly kind: string;
  readonly generation?: number;
  readonly term?: number;
  readonly code?: number | string;
  readonly name?: string;
}

interface Replica {
  readonly process: ChildProcessWithoutNullStreams;
  readonly lines: readonly Line[];
  /** The first line of this kind from now on, or one that is there already. */
  heard(kind: string): Promise<Line>;
  tell(word: 'hold' | 'go on'): void;
}

async function replica({ kubeconfig, namespace }: StateNamespace, name: string): Promise<Replica> {
  const child = spawn(process.execPath, [PROGRAM, kubeconfig, namespace, name]);
  let errors = '';
  child.stderr.on('data', (text) => (errors += String(text)));
  onTestFinished(async () => {
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    if (child.exitCode === null) await ended;
  });
  const lines: Line[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line) as Line));
  await once(child, 'spawn');
  return {
    process: child,
    lines,
    heard: (kind) =>
      vi.waitFor(
        () => {
          const found = lines.find((line) => line.kind === kind);
          if (found === undefined)
            throw new Error(`no line ${kind} of ${name}: ${JSON.stringify(lines.at(-1))} ${errors}`);
          return found;
        },
        { timeout: 60_000, interval: 20 },
      ),
    tell: (word) => void child.stdin.write(`${word}\n`),
  };
}

test('a leader that wakes after another one has taken over is refused what it was about to write, and writes no more', async () => {
  const place = await stateNamespace();
  const recorded = async () =>
    (await place.objects.get<RoutingObject>(SERVICE_ROUTING, 'manager', AbortSignal.timeout(5_000))).spec;
  const first = await replica(place, 'first');
  await first.heard('written');
  const second = await replica(place, 'second');
  await second.heard('Following');
  first.tell('hold');
  await first.heard('held');
  const before = await recorded();
  first.process.kill('SIGSTOP');
  expect(await second.heard('Leading')).toMatchObject({ term: 1 });
  await second.heard('written');
  const since = await recorded();
  expect(since).toMatchObject({ term: 1, record: { document: 'second' } });
  expect(since.record.generation).toBeGreaterThan(before.record.generation);

  const written = first.lines.filter(({ kind }) => kind === 'written').length;
  first.process.kill('SIGCONT');
  first.tell('go on');
  expect(await first.heard('answered')).toMatchObject({ code: 409 });
  expect(await first.heard('refused')).toMatchObject({ name: 'NotLeaderError' });
  expect(first.lines.filter(({ kind }) => kind === 'written')).toHaveLength(written);
  const generations = second.lines.flatMap(({ generation }) => generation ?? []);
  expect(generations[0]).toBe(before.record.generation + 1);
  expect(generations).toEqual(generations.map((_, index) => before.record.generation + 1 + index));
  expect((await recorded()).record.document).toBe('second');
});
