/** What applying a change would do to what runs, in sentences, before it is done; and what cannot be changed at all. */

import type { KubernetesRuntimeSpec } from '../model/kubernetes.ts';
import { isOpen } from '../model/rollout.ts';
import type { ListenerBinding, VersionedService } from '../model/spec.ts';
import { findVersion, isActive, type ServiceRecord } from '../model/state.ts';
import { describeEstimate, estimateRollout } from '../spec/estimates.ts';
import { addressEffects, forgottenAddresses } from './apply-addresses.ts';

/** Why this change is refused, or undefined. */
export function forbiddenChanges(before: ServiceRecord, after: VersionedService): string | undefined {
  if (before.spec.runtime.kind !== after.runtime.kind) {
    return `spec.runtime: ${before.name} runs on ${before.spec.runtime.kind} and cannot move to ${after.runtime.kind}; apply it under another name and flip there`;
  }
  if (after.tenantKey === undefined && before.holds.length > 0) {
    return `spec.tenantKey: ${before.holds.length} tenant(s) of ${before.name} are held; release them before the key goes`;
  }
  const wanted = findVersion(before, after.version);
  if (wanted?.retirement !== undefined) {
    return `spec.version: ${after.version} is being retired; wait until it is Retired, then apply again`;
  }
  return forgottenAddresses(before, after.runtime);
}

/** What will happen, one sentence each. `before` is undefined for a new service. */
export function effectsOf(before: ServiceRecord | undefined, after: ServiceRecord): readonly string[] {
  return [
    ...versionEffects(before, after),
    ...(before === undefined ? [] : addressEffects(before, after.spec.runtime)),
    ...(before === undefined ? [] : [...podEffects(before, after), ...gatewayEffects(before, after)]),
    ...listenerEffects(before?.spec.listeners ?? [], after.spec.listeners),
  ];
}

function versionEffects(before: ServiceRecord | undefined, after: ServiceRecord): string[] {
  const wanted = after.spec.version;
  if (
    before?.rollout !== undefined &&
    after.rollout?.id !== before.rollout.id &&
    isOpen(before.rollout.state)
  ) {
    return [`ends ${before.rollout.id}, which is ${before.rollout.state}`, ...rolloutEffects(before, after)];
  }
  const existing = before === undefined ? undefined : findVersion(before, wanted);
  if (after.traffic.kind !== 'none') return rolloutEffects(before, after);
  if (existing !== undefined && existing.state !== 'Retired') return [];
  return [`starts ${wanted}; it becomes the primary when it is ready`];
}

function rolloutEffects(before: ServiceRecord | undefined, { rollout }: ServiceRecord): string[] {
  if (rollout === undefined || rollout.id === before?.rollout?.id) return [];
  const { version, baseline, policy } = rollout;
  const how =
    policy.traffic.promotion === 'Manual'
      ? 'default traffic moves when an operator promotes or flips'
      : `default traffic moves by ${policy.traffic.steps.join(', ')} percent as its checks pass`;
  const figures = describeEstimate(estimateRollout(policy));
  return [`begins ${rollout.id}: ${version} comes up beside ${baseline}; ${how}`, ...figures];
}

/** A version is immutable: what its Pods are made of counts for those that are made after it. */
function podEffects(before: ServiceRecord, after: ServiceRecord): string[] {
  const [was, is] = [before.spec.runtime, after.spec.runtime];
  if (was.kind !== 'kubernetes' || is.kind !== 'kubernetes') return [];
  const madeOf = ({ pods, port }: KubernetesRuntimeSpec): string => JSON.stringify([pods, port]);
  const made = before.versions.filter(({ state }) => isActive(state)).map(({ name }) => name);
  const effects: string[] = [];
  if (madeOf(was) !== madeOf(is) && made.length > 0) {
    effects.push(
      `restarts nothing: ${made.join(', ')} keep${made.length === 1 ? 's' : ''} the Pods and the port that they were made with; versions that are made from now on get the new ones`,
    );
  }
  const numbers = ({ replicas, autoscaling, maxUnavailable }: KubernetesRuntimeSpec): string =>
    JSON.stringify([autoscaling ?? replicas, maxUnavailable]);
  if (numbers(was) !== numbers(is) && made.length > 0) {
    effects.push(`changes how many Pods there are of ${made.join(', ')}, at once`);
  }
  return effects;
}

/** Gateways of the Gateway API, and what that means for our own proxies. */
function gatewayEffects({ spec: before }: ServiceRecord, { spec: after }: ServiceRecord): string[] {
  const of = ({ runtime }: VersionedService) =>
    runtime.kind === 'kubernetes' ? runtime.gatewayApi : undefined;
  const [was, is] = [of(before), of(after)];
  const effects: string[] = [];
  if (was !== undefined && is === undefined)
    effects.push('takes the HTTPRoute away: its gateways answer 404 from then on');
  if (was === undefined && is !== undefined)
    effects.push('writes an HTTPRoute for gateways of the Gateway API');
  if (was?.mode !== 'Instead' && is?.mode === 'Instead')
    effects.push(
      'cuts streams: proxies are told nothing of the service any more, only the gateways lead to it',
    );
  return effects;
}

function listenerEffects(before: readonly ListenerBinding[], after: readonly ListenerBinding[]): string[] {
  const effects: string[] = [];
  for (const old of before) {
    const kept = after.find(({ name }) => name === old.name);
    if (kept === undefined) {
      effects.push(
        `cuts streams: listener ${old.name} is removed from the service (it closes where no other service shares it)`,
      );
    } else if (kept.address !== old.address || kept.port !== old.port) {
      effects.push(`cuts streams: listener ${old.name} moves from ${place(old)} to ${place(kept)}`);
    } else if (kept.accessLog !== old.accessLog) {
      const does = kept.accessLog ? 'begins to report' : 'reports no more of';
      effects.push(`cuts streams: listener ${old.name} ${does} its requests`);
    }
  }
  for (const { name, address, port } of after) {
    if (!before.some((old) => old.name === name))
      effects.push(`opens listener ${name} on ${place({ address, port })}`);
  }
  return effects;
}

function place({ address, port }: Pick<ListenerBinding, 'address' | 'port'>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
