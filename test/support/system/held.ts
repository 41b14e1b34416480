/** What an Envoy holds of what it was sent, and how often it was sent anything: to show that a change touched nothing. */
import type { Envoy } from '../envoy.ts';

interface Dump {
  readonly dynamic_listeners?: readonly {
    readonly name: string;
    readonly active_state?: { readonly version_info: string };
  }[];
  readonly dynamic_active_clusters?: readonly {
    readonly version_info: string;
    readonly cluster: { readonly name: string };
  }[];
  readonly dynamic_route_configs?: readonly {
    readonly version_info: string;
    readonly route_config: { readonly name: string };
  }[];
}

/** The version of each listener, cluster and route table in force, by `type/name`. With SotW a type has one version. */
export async function heldVersions(envoy: Envoy): Promise<Readonly<Record<string, string>>> {
  const { configs } = await envoy.configDump();
  return Object.fromEntries(
    (configs as readonly Dump[])
      .flatMap((dump) => [
        ...(dump.dynamic_listeners ?? []).flatMap(({ name, active_state: active }) =>
          active === undefined ? [] : [[`listeners/${name}`, active.version_info] as const],
        ),
        ...(dump.dynamic_active_clusters ?? []).map(
          ({ cluster, version_info: version }) => [`clusters/${cluster.name}`, version] as const,
        ),
        ...(dump.dynamic_route_configs ?? []).map(
          ({ route_config: routes, version_info: version }) => [`routes/${routes.name}`, version] as const,
        ),
      ])
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
}

const COUNTERS =
  '(update_(attempt|success|rejected|failure|empty)|cluster_(added|modified|updated|removed)|listener_(added|modified|removed|in_place_updated|create_success)|config_reload)$';

/** How often an Envoy was sent something, by statistic, and what came of it. */
export async function updateCounters(envoy: Envoy): Promise<Readonly<Record<string, number>>> {
  const counters = await envoy.stats(COUNTERS);
  if (counters.size === 0) throw new Error(`no statistic matches ${COUNTERS}`);
  // The controller's own cluster is static; its counters are those of a name looked up again and again.
  const sent = [...counters].filter(([name]) => !name.startsWith('cluster.switchyard.'));
  return Object.fromEntries(sent.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
