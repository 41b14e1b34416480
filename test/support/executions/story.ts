/**
 * What the operator does meanwhile: rollouts and rollbacks, one after the other, each given until it is done, since the
 * controller may be away. What was seen of each is kept: the delegates at parity before any default traffic moved, and
 * which boxes were registered at a manager of the candidate, by the store's own table.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ROLLOUT_STATE, ROLLOUT_STEP, VERSION_STATE } from '../../../src/admin/enums.ts';
import type { Service } from '../../../src/gen/switchyard/admin/v1/resources_pb.js';
import type { RolloutView } from '../../../src/gen/switchyard/admin/v1/rollouts_pb.js';
import type { StoreReader } from './recorded.ts';
import { SERVICE, type World } from './world.ts';

export type Chapter =
  | { readonly kind: 'Rollout'; readonly version: string }
  | { readonly kind: 'Rollback'; readonly to: string };

/** How a chapter went. */
export interface ChapterTold {
  readonly chapter: Chapter;
  readonly seconds: number;
  /** Of a rollout: what it said of its delegates when it let traffic move. */
  readonly parity?: { readonly ready: number; readonly expected: number };
  /** Boxes that were registered at the candidate before traffic moved. */
  readonly registered?: readonly string[];
}

export interface StoryOptions {
  readonly world: World;
  readonly reader: StoreReader;
  /** Resolves when so many executions were asked for that the story may go on. */
  readonly goOn: () => Promise<void>;
  readonly signal: AbortSignal;
}

const CHAPTER_WITHIN_MS = 600_000;
const LOOK_EVERY_MS = 400;
const CHANGE = { service: SERVICE, actor: 'story', reason: 'the next chapter' };

/** Tells the chapters. Rejects where one does not come to its end, with what the controller says of it. */
export async function tell(
  chapters: readonly Chapter[],
  options: StoryOptions,
): Promise<readonly ChapterTold[]> {
  const told: ChapterTold[] = [];
  await options.goOn();
  for (const chapter of chapters) {
    const begun = performance.now();
    const seen =
      chapter.kind === 'Rollout'
        ? await rollOut(chapter.version, options)
        : await moveBack(chapter.to, options);
    told.push({ chapter, seconds: Math.round((performance.now() - begun) / 1000), ...seen });
    await options.goOn();
  }
  return told;
}

/** Waits until versions that were torn down are retired. */
export async function retired(versions: readonly string[], options: StoryOptions): Promise<void> {
  await until(options, `${versions.join(', ')} to be retired`, async () => {
    const { versions: live } = await service(options.world);
    return versions.every((name) => !live.some((each) => each.name === name && !isGone(each)));
  });
}

async function rollOut(
  version: string,
  options: StoryOptions,
): Promise<Omit<ChapterTold, 'chapter' | 'seconds'>> {
  const { world, reader } = options;
  await world.publish(version);
  await order(options, `deploy ${version}`, {
    give: ({ site }) => site.call('deploy', { change: CHANGE, version }),
    isDone: ({ wantedVersion }) => wantedVersion === version,
  });
  let parity: { ready: number; expected: number } | undefined;
  let registered: readonly string[] | undefined;
  let last: RolloutView | undefined;
  await until(
    options,
    `the rollout of ${version}`,
    async () => {
      last = (await world.site.call('getRollout', { service: SERVICE })).view;
      if (last?.rollout?.version !== version) return false;
      const { state, step } = last.rollout;
      if (last.rollout.delegates !== undefined) {
        const { ready, expected } = last.rollout.delegates;
        parity = { ready, expected };
      }
      const isMoving = step?.kind === ROLLOUT_STEP.Shift || state === ROLLOUT_STATE.Succeeded;
      if (isMoving && registered === undefined) {
        const all = await reader.registered();
        registered = [...new Set(all.filter((each) => each.version === version).map(({ box }) => box))];
      }
      if (BAD_ENDS.has(state)) throw new EndedError(`the rollout of ${version} ended badly: ${said(last)}`);
      return state === ROLLOUT_STATE.Succeeded;
    },
    () => said(last),
  );
  return { ...(parity && { parity }), ...(registered && { registered }) };
}

const BAD_ENDS: ReadonlySet<number> = new Set([
  ROLLOUT_STATE.Aborted,
  ROLLOUT_STATE.RolledBack,
  ROLLOUT_STATE.Failed,
]);

async function moveBack(to: string, options: StoryOptions): Promise<object> {
  await order(options, `rollback to ${to}`, {
    give: ({ site }) => site.call('rollback', { change: CHANGE, to: '' }),
    isDone: ({ traffic }) => traffic?.kind.case === 'steady' && traffic.kind.value.primary === to,
  });
  return {};
}

/** Gives an order until it is seen to be done: its answer may be lost with the controller. */
async function order(
  options: StoryOptions,
  what: string,
  { give, isDone }: { give: (world: World) => Promise<unknown>; isDone: (service: Service) => boolean },
): Promise<void> {
  const { world } = options;
  await until(options, what, async () => {
    if (isDone(await service(world))) return true;
    await give(world);
    return isDone(await service(world));
  });
}

/** It will not come any more. */
class EndedError extends Error {
  override readonly name = 'EndedError';
}

async function until(
  { signal }: StoryOptions,
  what: string,
  holds: () => Promise<boolean>,
  why: () => string = () => '',
): Promise<void> {
  const giveUpAt = performance.now() + CHAPTER_WITHIN_MS;
  let last: unknown;
  for (;;) {
    signal.throwIfAborted();
    try {
      if (await holds()) return;
    } catch (error) {
      if (error instanceof EndedError) throw error;
      // The controller is away.
      last = error;
    }
    if (performance.now() > giveUpAt)
      throw new Error(`${what} took longer than ${CHAPTER_WITHIN_MS / 1000} s; ${why()}`, { cause: last });
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

async function service({ site }: World): Promise<Service> {
  return site.service(SERVICE);
}

function isGone({ state }: Service['versions'][number]): boolean {
  return state === VERSION_STATE.Retired;
}

/** What the rollout did, a line for each decision, and what it waits for. */
function said(view: RolloutView | undefined): string {
  if (view === undefined) return 'the controller showed none';
  const { rollout, decisions, waitsFor, delegates } = view;
  return [
    `${rollout?.stateReason}: ${rollout?.because}`,
    ...decisions.map(({ action, message }) => `${action}: ${message}`),
    ...waitsFor,
    ...(delegates?.lines ?? []),
  ].join('\n');
}
