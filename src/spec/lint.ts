/**
 * What a careful operator would want to know of a spec that is valid: each finding says what can happen and what to
 * write instead. Errors are what cannot work, such as a check that can never fail; `apply` refuses them.
 */
import type { ServiceProblem } from '../model/problem.ts';
import type { Scope, VersionedService } from '../model/spec.ts';
import { lintChecks } from './lint-checks.ts';
import { lintDelegates } from './lint-delegates.ts';
import { type Finding, warning, when } from './lint-finding.ts';
import { lintGatewayApi } from './lint-gateway-api.ts';
import { lintDrainQuery } from './lint-queries.ts';
import { lintRollout } from './lint-rollout.ts';
import { lintRuntime } from './lint-runtime.ts';

/** The findings of one service. */
export function lintService(service: VersionedService): readonly ServiceProblem[] {
  const findings = [
    ...ofListeners(service),
    ...ofPin(service),
    ...ofTenantKey(service),
    ...lintRuntime(service),
    ...lintGatewayApi(service),
    ...ofUpstream(service),
    ...ofDrain(service),
    ...lintDrainQuery(service),
    ...lintDelegates(service),
    ...lintChecks(service),
    ...lintRollout(service),
  ];
  return findings.map((finding) => ({ ...finding, service: service.name }));
}

function ofListeners({ listeners }: VersionedService): readonly Finding[] {
  return listeners.flatMap(({ address }, index) =>
    when(address === '0.0.0.0' || address === '::', () =>
      warning(
        `spec.listeners[${index}].address`,
        `"${address}" opens the port on every network of the machine: name one address where that is enough`,
      ),
    ),
  );
}

function ofPin({ pin, upstream }: VersionedService): readonly Finding[] {
  const namesGrpc = pin.allow.kind === 'scoped' && pin.allow.grpcServices.length > 0;
  return [
    ...ofScope(pin.allow, 'spec.pin.allow', 'every caller can choose the version that it reaches'),
    ...ofScope(
      pin.previewAllow,
      'spec.pin.previewAllow',
      'every caller can reach a version that is still Deploying',
    ),
    ...when(pin.onUnknown === 'Primary', () =>
      warning(
        'spec.pin.onUnknown',
        'work that began on a version which is gone falls through to the primary: Refuse tells its client instead',
      ),
    ),
    ...when(namesGrpc && upstream.protocol === 'Http1', () =>
      warning(
        'spec.upstream.protocol',
        'gRPC needs HTTP/2 and spec.pin.allow names gRPC services: write Http2 or SameAsClient',
      ),
    ),
  ];
}

function ofTenantKey({ tenantKey, traffic }: VersionedService): readonly Finding[] {
  if (tenantKey !== undefined)
    return ofScope(
      tenantKey.allow,
      'spec.tenantKey.allow',
      'every caller can act as any tenant when a version is chosen',
    );
  return when(traffic.steps.length > 1, () =>
    warning(
      'spec.traffic.steps',
      'a shift in steps without spec.tenantKey spreads by source address: all callers behind one address move together',
    ),
  );
}

function ofScope(scope: Scope, field: string, consequence: string): readonly Finding[] {
  return when(scope.kind === 'everywhere', () =>
    warning(field, `everywhere: ${consequence}; name hosts, paths or grpcServices`),
  );
}

function ofUpstream({ upstream: { outlierDetection } }: VersionedService): readonly Finding[] {
  return when(outlierDetection?.maxEjectionPercent === 100, () =>
    warning(
      'spec.upstream.outlierDetection.maxEjectionPercent',
      '100: one bad dependency can eject every instance of a version at once',
    ),
  );
}

/** lintDelegates says more where there are delegates. */
function ofDrain({ drain, delegates }: VersionedService): readonly Finding[] {
  return when(drain.source.kind === 'none' && delegates.source.kind === 'none', () =>
    warning(
      'spec.drain',
      'nobody counts the open work of a version: an operator must know when it is empty; write {http: ...}, {grpc: {}}, {promql: ...} or {workflow: {}}',
    ),
  );
}
