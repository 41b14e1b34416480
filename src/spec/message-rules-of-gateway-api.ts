/** Rules between the fields of an HTTPRoute that is asked for: its parents, and where headers count on it. */
import * as config from '../gen/switchyard/config/v1/config_pb.js';
import { GatewayApiSchema, type ParentRef } from '../gen/switchyard/config/v1/kubernetes_pb.js';
import { scopeOnRoute } from '../model/gateway-scope.ts';
import type { Scope } from '../model/spec.ts';
import { type MessageFault, type MessageRule, rule } from './message-rule.ts';

export const GATEWAY_API_MESSAGE_RULES: readonly MessageRule[] = [
  rule(GatewayApiSchema, ['parentRefs'], distinctParents),
  rule(config.VersionedServiceSpecSchema, ['pin', 'tenantKey', 'runtime'], scopesFitOneRoute),
];

/** Of two references to one parent each needs a section, and not the same one: so the API has it. */
function distinctParents({
  parentRefs,
}: {
  readonly parentRefs: readonly ParentRef[];
}): readonly MessageFault[] {
  return parentRefs.flatMap((parent, index) => {
    const earlier = parentRefs.findIndex((other) => isSameParent(parent, other));
    if (earlier === index) return [];
    const other = parentRefs[earlier];
    const differ =
      parent.sectionName !== undefined &&
      other?.sectionName !== undefined &&
      !parentRefs
        .slice(0, index)
        .some((one) => isSameParent(one, parent) && one.sectionName === parent.sectionName);
    if (differ) return [];
    return [
      {
        field: `parentRefs[${index}]`,
        message: `is the same parent as parentRefs[${earlier}]: keep one, or give each a sectionName of its own`,
      },
    ];
  });
}

function isSameParent(one: ParentRef, other: ParentRef): boolean {
  return one.kind === other.kind && one.name === other.name && one.namespace === other.namespace;
}

/** All rules of a route have the same hosts. */
function scopesFitOneRoute({
  pin,
  tenantKey,
  runtime,
}: config.VersionedServiceSpec): readonly MessageFault[] {
  const gatewayApi = runtime?.kind.case === 'kubernetes' ? runtime.kind.value.gatewayApi : undefined;
  if (gatewayApi === undefined) return [];
  const scopes = [
    ['pin.allow', pin?.allow],
    ['pin.previewAllow', pin?.previewAllow],
    ['tenantKey.allow', tenantKey?.allow],
  ] as const;
  return scopes.flatMap(([field, scope]) => {
    if (scope === undefined) return [];
    const on = scopeOnRoute(scopeOf(scope), gatewayApi.hostnames);
    if (on.kind !== 'SomeHosts') return [];
    return [
      {
        field: `${field}.hosts`,
        message: `${on.hosts.join(', ')}: an HTTPRoute cannot say that a header counts on some of its hosts: list exactly the hosts of runtime.kubernetes.gatewayApi.hostnames or none of them, or write paths`,
      },
    ];
  });
}

function scopeOf({ everywhere, nowhere, hosts, paths, grpcServices }: config.Scope): Scope {
  if (everywhere === true) return { kind: 'everywhere' };
  return nowhere === true ? { kind: 'nowhere' } : { kind: 'scoped', hosts, paths, grpcServices };
}
