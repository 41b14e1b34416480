/** The most that there may be of each thing (docs/limits.md): what would be more is refused, and the refusal names the limit. */

/** Services of one controller: all of them are in memory, and each round of a restart looks at all. */
export const MAX_SERVICES = 1_000;

/** Versions of a service that are not retired: a refusal lists those that are active, and has room for no more names. */
export const MAX_LIVE_VERSIONS = 100;

/** The most holds of one service: each Envoy holds all of them, as a map. Proxyless clients get MAX_GRPC_HOLDS. */
export const MAX_HOLDS = 10_000;

/** Proxies that are connected to one process: each takes memory, and a part of each push. */
export const MAX_PROXIES = 20_000;
