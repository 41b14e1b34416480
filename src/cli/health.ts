/** How a service does, for `status` and `describe`. Pure: from what the API showed to one phase and the reasons. */
import { INSTANCE_STATE, ROLLOUT_STATE, VERSION_STATE, wordOf } from '../admin/enums.ts';
import type { Proxy, Service } from '../gen/switchyard/admin/v1/resources_pb.js';
import type { Rollout } from '../gen/switchyard/admin/v1/rollouts_pb.js';
import { visible } from '../model/text.ts';
import { rejectionText, syncWord } from './views/proxies.ts';
import { rolesOf } from './views/services.ts';

/**
 * `Healthy`: the primary is ready and every connected proxy has all that is published. `Progressing`: on the way
 * there by itself. `Paused`: a rollout or a shift by hand stands, and somebody has to move it on. `Degraded`: something
 * is wrong, or the wanted version's rollout was given up.
 */
export type Phase = 'Healthy' | 'Progressing' | 'Paused' | 'Degraded';

export interface Health {
  readonly phase: Phase;
  /** One sentence each; why it is in this phase. */
  readonly reasons: readonly string[];
}

/** Whether `status` is finished when it meets this phase. */
export function isFinal(phase: Phase): boolean {
  return phase !== 'Progressing';
}

/** What a service is judged by. */
export interface HealthFacts {
  readonly service: Service;
  readonly proxies: readonly Proxy[];
  /** Its rollout that goes on, or its last one. */
  readonly rollout?: Rollout;
}

export function healthOf({ service, proxies, rollout }: HealthFacts): Health {
  const wrong = [
    ...service.alerts,
    ...rejections(proxies),
    ...failures(service),
    ...givenUp(service, rollout),
  ];
  const walk = rolloutPhase(rollout);
  // A rollout that goes on judges by itself what is wrong, and has a deadline: nobody should give up before it does.
  if (walk?.phase === 'Progressing') return { ...walk, reasons: [...walk.reasons, ...wrong] };
  if (wrong.length > 0) return { phase: 'Degraded', reasons: wrong };
  if (walk !== undefined) return walk;
  const open = [...unfinishedVersions(service), ...lateProxies(proxies)];
  if (open.length > 0) return { phase: 'Progressing', reasons: open };
  const { primary, candidate, weight } = rolesOf(service);
  if (candidate !== '') {
    return {
      phase: 'Paused',
      reasons: [`${candidate} gets ${weight}% of the default traffic, ${primary} the rest`],
    };
  }
  return { phase: 'Healthy', reasons: [`${primary} gets all default traffic`] };
}

const GIVEN_UP = new Set(['Aborted', 'RolledBack', 'Failed']);

/** A rollout that ended badly counts while its version is still wanted and nobody has made it primary by hand. */
function givenUp(service: Service, rollout: Rollout | undefined): string[] {
  if (rollout === undefined || rollout.version !== service.wantedVersion) return [];
  const isOver = GIVEN_UP.has(wordOf(ROLLOUT_STATE, rollout.state));
  return isOver && rolesOf(service).primary !== rollout.version ? [rolloutReason(rollout)] : [];
}

/** The phase that a rollout which goes on gives its service. */
function rolloutPhase(rollout: Rollout | undefined): Health | undefined {
  if (rollout === undefined) return undefined;
  const phase = OPEN_PHASES[wordOf(ROLLOUT_STATE, rollout.state)];
  return phase === undefined ? undefined : { phase, reasons: [rolloutReason(rollout)] };
}

const OPEN_PHASES: Readonly<Record<string, Phase>> = {
  Waiting: 'Progressing',
  Progressing: 'Progressing',
  Paused: 'Paused',
  Inconclusive: 'Paused',
};

function rolloutReason({ id, state, stateReason, step, because }: Rollout): string {
  const reason = stateReason === '' ? '' : ` (${stateReason})`;
  return visible(
    `rollout ${id} is ${wordOf(ROLLOUT_STATE, state)}${reason} at ${step?.name ?? 'its start'}${because === '' ? '' : `: ${because}`}`,
  );
}

function rejections(proxies: readonly Proxy[]): string[] {
  return proxies
    .filter((proxy) => syncWord(proxy) === 'Rejected')
    .map((proxy) => `proxy ${proxy.id} rejected ${rejectionText(proxy)}`);
}

function failures({ versions }: Service): string[] {
  return versions.flatMap(({ name, instances }) =>
    instances
      .filter(({ state }) => state === INSTANCE_STATE.Failed)
      .map(({ id, reason }) => `instance ${id} of ${name} failed: ${reason}`),
  );
}

function unfinishedVersions(service: Service): string[] {
  const { primary } = rolesOf(service);
  const wanted = service.versions.find(({ name }) => name === service.wantedVersion);
  const reasons: string[] = [];
  if (primary === '') reasons.push('no version is primary yet');
  if (wanted === undefined) reasons.push(`${service.wantedVersion} is not there yet`);
  else if (wanted.readyEndpoints === 0 || wanted.state === VERSION_STATE.Deploying) {
    const { name, state, reason } = wanted;
    reasons.push(
      `${name} has ${wanted.readyEndpoints} ready ${wanted.readyEndpoints === 1 ? 'endpoint' : 'endpoints'} (${wordOf(VERSION_STATE, state)}, ${reason})`,
    );
  }
  return reasons;
}

function lateProxies(proxies: readonly Proxy[]): string[] {
  return proxies
    .filter((proxy) => syncWord(proxy) === 'Behind')
    .map(({ id, publication }) => `proxy ${id} is behind, at publication ${publication}`);
}
