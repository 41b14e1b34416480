/**
 * What proxies had rejected when their connection ended, so that a rejection does not vanish with it. It is remembered
 * per node id and type, until the proxy acknowledges something of the type again or is forgotten. In memory only.
 */
import type { ProxyProgress, TypeProgress } from '../ports/publisher.ts';

export class PastRejections {
  readonly #byNode = new Map<string, readonly TypeProgress[]>();

  /** Takes note of what a proxy had rejected whose connection ended. */
  left({ nodeId, types }: ProxyProgress): void {
    const rejected = types.filter(({ rejection }) => rejection !== undefined);
    const earlier = this.of(nodeId).filter(({ type }) => rejected.every((other) => other.type !== type));
    if (rejected.length > 0) this.#byNode.set(nodeId, [...rejected, ...earlier]);
  }

  /** Forgets what connected proxies have acknowledged since, and the proxies that are neither connected nor away. */
  refresh(
    connected: (nodeId: string) => readonly ProxyProgress[] | undefined,
    isAway: (nodeId: string) => boolean,
  ): void {
    for (const [nodeId, rejected] of this.#byNode) {
      const proxies = connected(nodeId);
      const left = rejected.filter(({ type }) => !proxies?.some((proxy) => hasAcknowledged(proxy, type)));
      if (left.length === 0 || (proxies === undefined && !isAway(nodeId))) this.#byNode.delete(nodeId);
      else if (left.length < rejected.length) this.#byNode.set(nodeId, left);
    }
  }

  of(nodeId: string): readonly TypeProgress[] {
    return this.#byNode.get(nodeId) ?? [];
  }
}

function hasAcknowledged({ types }: ProxyProgress, type: string): boolean {
  return types.some((each) => each.type === type && each.acknowledgedVersion !== '');
}
