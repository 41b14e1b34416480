/** The end of v1: refused while work is open on it, drained, and gone in steps that no client notices. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../test/support/eventually.ts';
import type { Cast } from './story.ts';
import type { World } from './world.ts';

const LOOK_MS = 1500;
const RETIREMENTS_TRIED = 20;

/** Retires v1 while v2 is primary. */
export async function retireV1({ world, screen, operator, traffic }: Cast): Promise<void> {
  const onV1 = () => traffic.streams().filter(({ version }) => version === 'v1');
  const retire = ['retire', 'manager', 'v1', '--give-up-rollback', '--yes'];

  screen.act('v1 has done its work. Retire it? Not while something is open on it');
  const { exitCode } = await operator.type(...retire);
  if (exitCode === 0) throw new Error('v1 was retired although work is open on it');
  await sleep(LOOK_MS);

  screen.act('So v1 is drained: no new work; its clients hear of it and finish');
  const open = onV1().length;
  await operator.order('drain', 'manager', 'v1', '--give-up-rollback');
  await eventually(() => onV1().every(({ draining }) => draining), {
    what: 'word of the drain on every stream',
  });
  screen.say(`${open} streams on v1 were told that it drains`);
  await eventually(() => onV1().length === 0, { what: 'the end of the streams on v1', within: 30_000 });
  screen.say('their clients have ended all of them themselves');
  await eventually(() => isDrained(world), { what: 'a count of zero behind the fence', within: 30_000 });

  screen.act('Now v1 can go: routes first, then its cluster, then its instances');
  const stage = { from: 'v2', to: 'v2', weight: 100, active: ['v2'] };
  await operator.carryOut({ stage }, async () => {
    // Clients pinned to v1 still ask it, so a short request may be under way whenever its work is counted.
    for (let tried = 1; (await operator.type(...retire)).exitCode !== 0; tried += 1) {
      if (tried === RETIREMENTS_TRIED) throw new Error(`v1 was not retired in ${tried} tries`);
      screen.say('a request was under way just then; once more');
    }
  });
  await eventually(() => isGone(world), { what: 'the end of v1', within: 60_000 });
  await operator.order('get', 'versions', 'manager');
  screen.say('requests pinned to v1 are refused from here on');
  await sleep(LOOK_MS);
}

async function isDrained(world: World): Promise<boolean> {
  const { stdout } = await world.run(['get', 'versions', 'manager']);
  return stdout.split('\n').some((line) => /\bv1\b/.test(line) && line.includes('Drained'));
}

async function isGone(world: World): Promise<boolean> {
  const { exitCode, stdout } = await world.run(['get', 'versions', 'manager']);
  return (
    exitCode === 0 && !stdout.split('\n').some((line) => /\bv1\b/.test(line) && !line.includes('Retired'))
  );
}
