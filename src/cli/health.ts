/** How a service does, for `status` and `describe`. Pure: from what the API showed to one phase and the reasons. */
import { INSTANCE_STATE, VERSION_STATE, wordOf } from '../admin/enums.ts';
import type { Proxy, Service } from '../gen/switchyard/admin/v1/resources_pb.js';
import { rejectionText, syncWord } from './views/proxies.ts';
import { rolesOf } from './views/services.ts';

/**
 * `Healthy`: the primary is ready and every connected proxy has all that is published. `Progressing`: on the way
 * there by itself. `Paused`: default traffic is shared by weight, and somebody has to move on. `Degraded`: something
 * is wrong.
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

export function healthOf(service: Service, proxies: readonly Proxy[]): Health {
  const wrong = [...service.alerts, ...rejections(proxies), ...failures(service)];
  if (wrong.length > 0) return { phase: 'Degraded', reasons: wrong };
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
