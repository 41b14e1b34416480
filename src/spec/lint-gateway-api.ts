/** What an operator must know who has routes written for gateways of the Gateway API: which of Switchyard's rules are off there. */
import { isTrafficMetric } from '../model/check.ts';
import type { VersionedService } from '../model/spec.ts';
import { type Finding, warning, when } from './lint-finding.ts';

const PATH = 'spec.runtime.kubernetes.gatewayApi';

/** The findings of spec.runtime.kubernetes.gatewayApi. */
export function lintGatewayApi(service: VersionedService): readonly Finding[] {
  const { runtime, traffic } = service;
  if (runtime.kind !== 'kubernetes' || runtime.gatewayApi === undefined) return [];
  const isInstead = runtime.gatewayApi.mode === 'Instead';
  return [
    warning(PATH, rule1(service)),
    warning(
      PATH,
      'rule 3 is off behind these gateways: they weigh each request by itself, so during a shift a tenant gets both versions in turn, and goes back and forth',
    ),
    warning(
      PATH,
      'rule 5 is off behind these gateways: that a Gateway has accepted a route is no acknowledgement by its proxies, so a version may be taken away while one of them still routes to it',
    ),
    ...when(traffic.mirror !== undefined, () =>
      warning('spec.traffic.mirror', 'requests through the gateways of gatewayApi are not copied'),
    ),
    ...when(isInstead && countsTraffic(service), () =>
      warning(
        'spec.verification.checks',
        'gatewayApi.mode is Instead: checks of traffic read the metrics of our own proxies, which get no requests, and have no data; write queries over the metrics of the gateways',
      ),
    ),
    ...when(isInstead && service.listeners.some(({ accessLog }) => accessLog), () =>
      warning('spec.listeners', 'gatewayApi.mode is Instead: no proxy of ours has requests to report'),
    ),
  ];
}

function rule1({ pin }: VersionedService): string {
  const unknown =
    pin.onUnknown === 'Refuse'
      ? 'a pin that names no active version is refused by our own refusal backend, and only where the gateway knows regular expressions for headers (else it may refuse the route, or let the pin through to the primary); '
      : 'a pin that names no active version goes to the primary, and so does a request with a marker and no pin; ';
  return `rule 1 is off behind these gateways: ${unknown}a version without a ready endpoint answers as the gateway does, and between the routes and the gateway's proxies a pin may reach what was there before`;
}

function countsTraffic({ verification }: VersionedService): boolean {
  return (
    verification?.checks.some(({ metric }) => metric.kind === 'builtin' && isTrafficMetric(metric.name)) ===
    true
  );
}
