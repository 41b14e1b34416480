/** Messages of watcher.proto in, the model out. */
import type * as config from '../gen/switchyard/config/v1/watcher_pb.js';
import { serviceName, tenantName } from '../model/names.ts';
import type { WatcherPolicy, WatcherSettings } from '../model/watcher.ts';
import { delegateId } from '../model/workflow.ts';
import { given } from './given.ts';
import { milliseconds } from './leaf.ts';
import { toWindow } from './to-model-rollout.ts';

const MIB = 1024 * 1024;

export function toWatcherSettings({ spec }: config.Watcher): WatcherSettings {
  const { id, service, tenant, group, tags, maxVersions, controller, ports, ...rest } = given(spec);
  const { address, tls, caFile } = given(controller);
  return {
    identity: {
      id: delegateId(id),
      service: serviceName(service),
      tenant: tenantName(tenant),
      group,
      tags,
      maxVersions,
    },
    controller: { address, tls, ...(caFile !== undefined && { caFile }) },
    publicKeyFiles: rest.publicKeyFiles,
    ...(rest.policyFile !== undefined && { policyFile: rest.policyFile }),
    dataFolder: rest.dataFolder,
    ports: { from: given(ports).from, to: given(ports).to },
    environment: rest.environment,
    startDeadline: milliseconds(rest.startDeadline),
  };
}

export function toWatcherPolicy({ spec }: config.WatcherPolicy): WatcherPolicy {
  const { windows, maxVersions, allowedVersions, allowedHosts, decommission, limits, drainTimeout } =
    given(spec);
  const { memoryMib, niceness, diskMib, keepFreeMib, artifactMib } = given(limits);
  return {
    windows: windows.map(toWindow),
    maxVersions,
    allowedVersions,
    allowedHosts,
    decommission,
    limits: {
      ...(memoryMib !== undefined && { memory: memoryMib * MIB }),
      niceness,
      ...(diskMib !== undefined && { disk: diskMib * MIB }),
      keepFree: keepFreeMib * MIB,
      artifact: artifactMib * MIB,
    },
    ...(drainTimeout !== undefined && { drainTimeout: milliseconds(drainTimeout) }),
  };
}
